"""Loops in several threads: a pool of native threads, ``@dotbar.parallel`` for the code that shares its work with it.

``void @dotbar.parallel(ptr function, ptr context, i64 chunks)`` calls ``void function(ptr context, i64 chunk)`` for
each chunk, in any order, and returns when all are done.  Whoever is free takes the next chunk, the caller first:
threads that do not wake in time are not waited for.  A region within another, or beside one, is run by its caller
alone.

One word, the *ticket*, is the region's number and how many of its chunks nobody has taken.  A chunk is taken by
lowering the ticket from the very value that was read, so what was read of the region in between was that region's.
"""

import atexit
import ctypes
import operator
import os
from collections.abc import Container
from functools import cache
from threading import Lock
from typing import SupportsIndex

from dotbar.compiler import engine

__all__ = ["get_num_threads", "set_num_threads", "symbols"]

SPINS = 2_000
"""How often a thread looks for work, or for the end of a region, before it sleeps or yields: some 50 µs."""


def set_num_threads(n: SupportsIndex) -> None:
    """How many threads share the large loops of functions that are compiled from now on, and at most run them.

    It is one thread to begin with.  Sums are added in another order for another number.  Windows has one thread.
    """
    n = operator.index(n)
    if n < 1:
        raise ValueError(f"{n} threads cannot run anything: at least one is needed")
    with _lock:
        _pool.stop()
        _pool.size = n if os.name == "posix" else 1
        _pool.start()


def get_num_threads() -> int:
    """The number that :func:`set_num_threads` set."""
    return _pool.size


DECLARATION = {"dotbar.parallel": "declare void @dotbar.parallel(ptr, ptr, i64)"}


def symbols(declared: Container[str] = DECLARATION) -> dict[str, int]:
    """The address of ``dotbar.parallel``, if it is declared."""
    return {name: _code().address(name) for name in DECLARATION if name in declared}


class _Pool:
    """The threads besides the callers."""

    def __init__(self) -> None:
        self.size = 1
        self.threads: list[ctypes.c_void_p] = []

    def start(self) -> None:
        if self.size == 1 or not engine.available():
            return
        create, work = ctypes.CDLL(None).pthread_create, ctypes.c_void_p(_code().address("work"))
        _call("resize", self.size - 1)
        for index in range(self.size - 1):
            thread = ctypes.c_void_p()
            if create(ctypes.byref(thread), None, work, ctypes.c_void_p(index)) != 0:
                break  # with as many as the system allows
            self.threads.append(thread)

    def stop(self) -> None:
        if self.threads:
            _call("resize", 0)
        while self.threads:
            ctypes.CDLL(None).pthread_join(self.threads.pop(), None)

    def start_in_child(self) -> None:
        """A forked process has the thread that forked alone, and the memory as the others left it."""
        global _lock
        _lock = Lock()
        self.threads.clear()
        if self.size > 1:
            _call("prepare")
            self.start()


_lock = Lock()
_pool = _Pool()
atexit.register(_pool.stop)  # before the code that they run goes
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.start_in_child)


@engine.alone()
@cache
def _code() -> engine.Code:
    code = engine.compile(source())
    ctypes.CFUNCTYPE(None)(code.address("prepare"))()
    return code


def _call(name: str, *numbers: int) -> None:
    """Call a function of the pool's code."""
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * len(numbers))
    kind(_code().address(name))(*numbers)


def source() -> str:
    """The pool's code."""
    arm = engine.machine().triple.startswith(("aarch64", "arm64"))
    declared, pause = (
        ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)")
        if arm
        else ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()")
    )
    return f"""
{declared}
declare i32 @sched_yield()
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)

@ticket = internal global [16 x i64] zeroinitializer, align 128
@unfinished = internal global [16 x i64] zeroinitializer, align 128
@taken = internal global [32 x i32] zeroinitializer, align 128
@sleeping = internal global [16 x i64] zeroinitializer, align 128
@workers = internal global [16 x i64] zeroinitializer, align 128
@function = internal global ptr null
@context = internal global ptr null
@mutex = internal global [16 x i64] zeroinitializer, align 128
@condition = internal global [16 x i64] zeroinitializer, align 128

; Everything as if there had never been a region.
define void @prepare() #0 {{
  store i64 0, ptr @ticket
  store i64 0, ptr @unfinished
  store i32 0, ptr @taken
  store i64 0, ptr @sleeping
  %m = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %c = call i32 @pthread_cond_init(ptr @condition, ptr null)
  ret void
}}

; The workers numbered from n on end.
define void @resize(i64 %n) #0 {{
  store atomic i64 %n, ptr @workers seq_cst, align 8
  call void @wake()
  ret void
}}

define internal void @wake() #0 {{
  %l = call i32 @pthread_mutex_lock(ptr @mutex)
  %b = call i32 @pthread_cond_broadcast(ptr @condition)
  %u = call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}}

define void @dotbar.parallel(ptr %function, ptr %context, i64 %chunks) #0 {{
entry:
  %workers = load atomic i64, ptr @workers monotonic, align 8
  %alone = icmp eq i64 %workers, 0
  br i1 %alone, label %by.itself, label %try
try:
  %others = atomicrmw xchg ptr @taken, i32 1 acquire
  %busy = icmp ne i32 %others, 0
  br i1 %busy, label %by.itself, label %open
open:
  store atomic i64 %chunks, ptr @unfinished monotonic, align 8
  store atomic ptr %function, ptr @function monotonic, align 8
  store atomic ptr %context, ptr @context monotonic, align 8
  %last = load atomic i64, ptr @ticket monotonic, align 8
  %region = and i64 %last, -4294967296
  %next = add i64 %region, 4294967296
  %ticket = or i64 %next, %chunks
  store atomic i64 %ticket, ptr @ticket seq_cst, align 8
  %sleeping = load atomic i64, ptr @sleeping seq_cst, align 8
  %asleep = icmp ne i64 %sleeping, 0
  br i1 %asleep, label %call, label %share
call:
  call void @wake()
  br label %share
share:
  call void @take()
  br label %wait
wait:
  %k = phi i64 [ 0, %share ], [ %k1, %again ], [ %k, %yield ]
  %unfinished = load atomic i64, ptr @unfinished acquire, align 8
  %done = icmp eq i64 %unfinished, 0
  br i1 %done, label %close, label %look
look:
  %k1 = add i64 %k, 1
  %patient = icmp slt i64 %k, {SPINS}
  br i1 %patient, label %again, label %yield
again:
  {pause}
  br label %wait
yield:
  %y = call i32 @sched_yield()
  br label %wait
close:
  store atomic i32 0, ptr @taken release, align 4
  ret void
by.itself:
  %i = phi i64 [ 0, %entry ], [ 0, %try ], [ %i1, %next.one ]
  %more = icmp slt i64 %i, %chunks
  br i1 %more, label %next.one, label %end
next.one:
  call void %function(ptr %context, i64 %i)
  %i1 = add i64 %i, 1
  br label %by.itself
end:
  ret void
}}

; Chunks, until none is left.
define internal void @take() #0 {{
entry:
  br label %look
look:
  %ticket = load atomic i64, ptr @ticket acquire, align 8
  %left = and i64 %ticket, 4294967295
  %none = icmp eq i64 %left, 0
  br i1 %none, label %end, label %try
try:
  %function = load atomic ptr, ptr @function monotonic, align 8
  %context = load atomic ptr, ptr @context monotonic, align 8
  %lower = sub i64 %ticket, 1
  %pair = cmpxchg ptr @ticket, i64 %ticket, i64 %lower acq_rel monotonic
  %ours = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %ours, label %run, label %look
run:
  %chunk = sub i64 %left, 1
  call void %function(ptr %context, i64 %chunk)
  %before = atomicrmw sub ptr @unfinished, i64 1 release
  br label %look
end:
  ret void
}}

; Whether there is nothing to do for a worker.
define internal i1 @idle(i64 %index) #0 {{
  %ticket = load atomic i64, ptr @ticket seq_cst, align 8
  %left = and i64 %ticket, 4294967295
  %none = icmp eq i64 %left, 0
  %workers = load atomic i64, ptr @workers seq_cst, align 8
  %stay = icmp slt i64 %index, %workers
  %idle = and i1 %none, %stay
  ret i1 %idle
}}

define ptr @work(i64 %index) #0 {{
entry:
  br label %look
look:
  %k = phi i64 [ 0, %entry ], [ 0, %busy ], [ %k1, %spin ], [ 0, %awake ]
  %idle = call i1 @idle(i64 %index)
  br i1 %idle, label %rest, label %stirred
stirred:
  %workers = load atomic i64, ptr @workers seq_cst, align 8
  %stay = icmp slt i64 %index, %workers
  br i1 %stay, label %busy, label %end
busy:
  call void @take()
  br label %look
rest:
  %k1 = add i64 %k, 1
  %patient = icmp slt i64 %k, {SPINS}
  br i1 %patient, label %spin, label %doze
spin:
  {pause}
  br label %look
doze:
  %l = call i32 @pthread_mutex_lock(ptr @mutex)
  %s = atomicrmw add ptr @sleeping, i64 1 seq_cst
  br label %check
check:
  %still = call i1 @idle(i64 %index)
  br i1 %still, label %sleep, label %awake
sleep:
  %c = call i32 @pthread_cond_wait(ptr @condition, ptr @mutex)
  br label %check
awake:
  %t = atomicrmw sub ptr @sleeping, i64 1 seq_cst
  %u = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %look
end:
  ret ptr null
}}
attributes #0 = {{ {engine.attributes()} }}
"""
