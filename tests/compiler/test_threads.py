"""Chunks of a region are done once each, by the caller and the threads of the pool, whatever else happens."""

import ctypes
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from scipy import special

import dotbar as db
from dotbar.compiler import engine, threads
from dotbar.compiler.threads import get_num_threads, set_num_threads

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

TEXT = """
declare void @dotbar.parallel(ptr, ptr, i64)
declare i32 @sched_yield()

; context: doubles, of which a chunk adds 1 to its own.
define void @count(ptr %context, i64 %chunk) {
  %p = getelementptr double, ptr %context, i64 %chunk
  %x = load double, ptr %p
  %y = fadd double %x, 1.0
  store double %y, ptr %p
  ret void
}
define void @region(ptr %context, i64 %chunks) {
  call void @dotbar.parallel(ptr @count, ptr %context, i64 %chunks)
  ret void
}

; Regions within a region: 8 chunks in each chunk.
define void @row(ptr %context, i64 %chunk) {
  %at = mul i64 %chunk, 8
  %p = getelementptr double, ptr %context, i64 %at
  call void @dotbar.parallel(ptr @count, ptr %p, i64 8)
  ret void
}
define void @nested(ptr %context, i64 %chunks) {
  call void @dotbar.parallel(ptr @row, ptr %context, i64 %chunks)
  ret void
}

; context: how many are there, or -1 if somebody gave up; chunks wait for each other.
define void @wait(ptr %context, i64 %chunk) {
  %one = atomicrmw add ptr %context, i64 1 seq_cst
  br label %look
look:
  %i = phi i64 [ 0, %0 ], [ %next, %look ]
  %y = call i32 @sched_yield()
  %there = load atomic i64, ptr %context seq_cst, align 8
  %all = icmp sge i64 %there, 3
  %next = add i64 %i, 1
  %late = icmp sgt i64 %next, 30000000
  %done = or i1 %all, %late
  br i1 %done, label %end, label %look
end:
  %status = zext i1 %late to i64
  %missing = atomicrmw sub ptr %context, i64 %status seq_cst
  ret void
}
define void @meeting(ptr %context, i64 %chunks) {
  call void @dotbar.parallel(ptr @wait, ptr %context, i64 %chunks)
  ret void
}
"""


@pytest.fixture(scope="module")
def code():
    return engine.compile(TEXT, symbols=threads.symbols())


@pytest.fixture(autouse=True)
def one_thread_again():
    yield
    set_num_threads(1)


def run(code, name, array, chunks):
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(code.address(name))(array.ctypes.data, chunks)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_each_chunk_is_done_once(code, n):
    set_num_threads(n)
    assert get_num_threads() == n
    done = np.zeros(1000)
    for chunks in [0, 1, 2, 3, 7, 1000] * 50:
        run(code, "region", done, chunks)
    assert np.array_equal(done, 50.0 * sum(np.arange(1000) < chunks for chunks in (0, 1, 2, 3, 7, 1000)))


def test_threads_share_a_region(code):
    """Three chunks that wait for each other take three threads."""
    set_num_threads(3)
    for _ in range(20):
        there = np.zeros(1, np.int64)
        run(code, "meeting", there, 3)
        assert there[0] == 3


def test_regions_within_regions(code):
    set_num_threads(3)
    done = np.zeros(800)
    for _ in range(20):
        run(code, "nested", done, 100)
    assert np.all(done == 20)


def test_regions_at_the_same_time(code):
    """From several threads, while the number changes."""
    arrays = [np.zeros(5000) for _ in range(4)]

    def hammer(array):
        for _ in range(300):
            run(code, "region", array, 5000)

    callers = [threading.Thread(target=hammer, args=(array,)) for array in arrays]
    for caller in callers:
        caller.start()
    for n in (2, 4, 1, 3, 2) * 20:
        set_num_threads(n)
    for caller in callers:
        caller.join()
    assert all(np.all(array == 300) for array in arrays)


def test_numbers_that_are_no_numbers_of_threads():
    for n in (0, -1):
        with pytest.raises(ValueError, match="at least one"):
            set_num_threads(n)
    with pytest.raises(TypeError):
        set_num_threads(1.5)  # type: ignore[arg-type]
    assert get_num_threads() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(code):
    set_num_threads(3)
    there = np.zeros(1, np.int64)
    run(code, "meeting", there, 3)
    child = os.fork()
    if child == 0:
        there[:] = 0
        run(code, "meeting", there, 3)
        os._exit(0 if there[0] == 3 and get_num_threads() == 3 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    run(code, "meeting", np.zeros(1, np.int64), 3)


def test_a_process_ends_while_threads_look_for_work():
    script = f"""
import ctypes
import numpy as np
import dotbar as db
from dotbar.compiler import engine, threads
threads.set_num_threads(4)
code = engine.compile({TEXT!r}, symbols=threads.symbols())
done = np.zeros(9)
ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(code.address("region"))(done.ctypes.data, 9)
print(int(done.sum()))
"""
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "9\n", "")


def test_calls_of_a_compiled_function_while_others_compile_it():
    """Two threads call one variant, a third makes others of the same function and of new ones."""

    def f(x, w):
        return np.sum(np.tanh(x * w) ** 2)

    compiled = db.jit(db.value_and_grad(f))
    x, ws = np.linspace(0, 1, 30_000), (0.5, 2.0)  # long enough to be done without the GIL
    wanted = {w: db.value_and_grad(f)(x, w) for w in ws}
    compiled(x, ws[0])
    failures, done = [], threading.Event()

    def hammer(w):
        while not done.is_set():
            value, grad = compiled(x, w)
            if not (np.isclose(value, wanted[w][0], rtol=1e-12) and np.allclose(grad, wanted[w][1], rtol=1e-12)):
                failures.append((w, value))

    callers = [threading.Thread(target=hammer, args=(w,)) for w in ws]
    for caller in callers:
        caller.start()
    for n in range(1, 20):
        y = np.linspace(0, 1, n)
        assert np.isclose(compiled(y, 2.0)[0], f(y, 2.0))
        assert np.isclose(db.jit(lambda y, n=n: f(y, 1.0) * n)(y), f(y, 1.0) * n)
    done.set()
    for caller in callers:
        caller.join()
    assert not failures


def test_loops_whose_steps_are_shared_by_threads():
    """The shares of one loop's step are not those of another's."""

    def f(x):
        for step in (np.sin, np.cos):
            x, _ = db.scan(lambda c, _, step=step: (step(c), None), x, None, 3)
        return x

    set_num_threads(2)
    compiled, x = db.jit(f), np.linspace(0, 1, 20_000)
    compiled(x)
    np.testing.assert_allclose(compiled(x), f(x), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:floating point number truncated")
def test_each_thread_may_warn():
    """Which takes the GIL, for each of these entries: the thread that waits for the others does not hold it."""
    set_num_threads(2)
    order, x = np.full(9000, 2.5), np.linspace(0.1, 5, 9000)
    f = db.jit(special.expn)
    for _ in range(3):
        assert np.allclose(f(order, x), special.expn(order, x))
    assert "parallel" in f.llvm(order, x)
