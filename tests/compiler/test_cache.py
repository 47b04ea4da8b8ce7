"""The cache on disk returns what was stored or nothing, and never raises."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dotbar.compiler import cache, engine

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
not_root = pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may write everywhere")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DOTBAR_CACHE_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


def test_what_is_stored_is_loaded(folder):
    assert cache.load("a") is None
    for data in (b"", b"code", os.urandom(100_000)):
        cache.store("a", data)
        assert cache.load("a") == data
    assert len(list(folder.iterdir())) == 1


def test_keys_differ_with_every_part():
    keys = {cache.key("a", "b"), cache.key("ab"), cache.key("a", "c"), cache.key("ab", ""), cache.key("", "ab")}
    assert len(keys) == 5
    assert cache.key("a", "b") in keys


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:10], lambda b: b"", lambda b: b"x" + b[1:]])
def test_damaged_files_are_ignored_and_rewritten(folder, damage):
    cache.store("a", b"code")
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load("a") is None
    cache.store("a", b"code")
    assert cache.load("a") == b"code"


def test_an_empty_variable_disables(monkeypatch):
    monkeypatch.setenv("DOTBAR_CACHE_DIR", "")
    cache.store("a", b"code")
    assert cache.folder() is None
    assert cache.load("a") is None


@posix
def test_the_folder_is_private(folder):
    cache.store("a", b"code")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert next(folder.iterdir()).stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_write_is_not_used(folder, mode):
    cache.store("a", b"code")
    folder.chmod(mode)
    assert cache.load("a") is None
    cache.store("b", b"code")
    folder.chmod(0o700)
    assert cache.load("a") == b"code"
    assert cache.load("b") is None


@posix
def test_a_file_that_others_write_is_not_used(folder):
    cache.store("a", b"code")
    (path,) = folder.iterdir()
    path.chmod(0o606)
    assert cache.load("a") is None


@posix
def test_a_link_is_not_followed(folder, tmp_path):
    cache.store("a", b"code")
    (path,) = folder.iterdir()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.load("a") is None


@posix
@not_root
def test_a_folder_that_cannot_be_written_still_serves(folder):
    cache.store("a", b"code")
    folder.chmod(0o500)
    cache.store("b", b"code")
    assert cache.load("a") == b"code"
    assert cache.load("b") is None
    folder.chmod(0o700)


@pytest.mark.parametrize("place", ["/dev/null/objects", "relative", "/proc/none/objects"])
def test_an_impossible_folder_holds_nothing(monkeypatch, place):
    monkeypatch.setenv("DOTBAR_CACHE_DIR", place)
    cache.store("a", b"code")
    assert cache.load("a") is None
    assert not Path("relative").exists()


@posix
def test_the_users_folder_is_the_default(monkeypatch, tmp_path):
    monkeypatch.delenv("DOTBAR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.folder() in (tmp_path / "xdg/dotbar", tmp_path / "home/Library/Caches/dotbar")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() in (tmp_path / "home/.cache/dotbar", tmp_path / "home/Library/Caches/dotbar")
    monkeypatch.setenv("HOME", "/dev/null")
    assert cache.folder() is None


def test_what_was_not_used_for_longest_goes(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 16_000)
    for i in range(10):
        cache.store(f"f{i}", bytes(3000))
        os.utime(folder / f"f{i}.o", (i, i))
        cache.load("f0")
    left = {path.stem for path in folder.iterdir()}
    assert {"f0", "f9"} <= left
    assert "f1" not in left
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 16_000 + 3032


def test_foreign_files_stay(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 1)
    cache.store("a", b"code")
    (folder / "notes.txt").write_text("mine")
    cache.store("b", b"code")
    assert (folder / "notes.txt").exists()


def test_processes_at_once(folder):
    script = (
        "from dotbar.compiler import cache\n"
        "for i in range(300):\n"
        "    data = bytes([i % 7]) * 5000\n"
        "    cache.store(f'k{i % 7}', data)\n"
        "    assert cache.load(f'k{i % 7}') == data\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1] for process in running]
    assert not any(errors), errors
    assert len(list(folder.iterdir())) == 7


STEP = """
import sys
sys.path.insert(0, {examples!r})
import numpy as np
import digits
from dotbar import jit, value_and_grad
from dotbar.compiler import engine

made, generate = [], engine.Target.object
engine.Target.object = lambda *args: made.append(args) or generate(*args)
rng = np.random.default_rng(0)
layers, X, labels = digits.initial(rng), rng.uniform(0, 1, (64, digits.BATCH)), rng.integers(0, 10, digits.BATCH)
step = jit(value_and_grad(digits.objective))
values = [step(layers, X, labels)[0] for _ in range(3)]
assert np.allclose(values, values[0])
print(len(made))
"""


@pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")
def test_a_second_process_generates_no_code(folder):
    for module in ("matplotlib", "sklearn", "tqdm"):
        pytest.importorskip(module)
    script = STEP.format(examples=str(Path(__file__).parents[2] / "examples"))
    run = lambda: int(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert run() > 0
    assert run() == 0
