"""Object code on disk: a key in, the bytes stored under it out, by this or another process.

The folder is ``DOTBAR_CACHE_DIR`` (empty: nothing is kept), or ``dotbar`` in the user's cache directory.  Its files are
loaded as machine code, so it must belong to the user and be writable by nobody else.  A file is its contents' checksum
and the contents; it appears under its name at once and whole, so processes need no lock.  Nothing here raises: a folder
that cannot be used holds nothing.
"""

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

LIMIT = 256 * 2**20
"""The bytes kept; beyond them the files not used for longest go."""

_SUFFIX = ".o"
_CHECKSUM = 32
_stored_since_trim: dict[Path, int] = {}


def key(*parts: str) -> str:
    """The name of what the parts determine."""
    return _digest(b"\0".join(part.encode() for part in parts)).hex()


def load(name: str) -> bytes | None:
    """What is stored under a name; None if there is nothing, or nothing that can be trusted."""
    directory = folder()
    if directory is None:
        return None
    path = directory / (name + _SUFFIX)
    try:
        with open(os.open(path, os.O_RDONLY | _NOFOLLOW | _BINARY), "rb") as file:
            status = os.fstat(file.fileno())
            contents = file.read() if stat.S_ISREG(status.st_mode) and _is_ours(status) else b""
        checksum, data = contents[:_CHECKSUM], contents[_CHECKSUM:]
        if checksum != _digest(data):
            return None
        os.utime(path)  # the order in which files go
    except OSError:
        return None
    return data


def store(name: str, data: bytes) -> None:
    """Keep bytes under a name, if there is a place for them."""
    directory = folder()
    if directory is None:
        return
    try:
        descriptor, temporary = tempfile.mkstemp(_SUFFIX, "new-", directory)
        try:
            with open(descriptor, "wb") as file:
                file.write(_digest(data) + data)
            os.replace(temporary, directory / (name + _SUFFIX))
        except OSError:
            os.unlink(temporary)
            raise
    except OSError:
        return
    stored = _stored_since_trim.get(directory, LIMIT) + len(data)
    if stored > LIMIT // 16:  # also at the first: most processes store little
        _trim(directory)
        stored = 0
    _stored_since_trim[directory] = stored


def folder() -> Path | None:
    """Where the files lie, made if it is missing; None if there is no safe place."""
    chosen = os.environ.get("DOTBAR_CACHE_DIR")
    if chosen == "":
        return None
    directory = Path(chosen) if chosen else _user_cache() / "dotbar"
    if not directory.is_absolute():
        return None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory if _is_ours(directory.stat()) else None
    except OSError:
        return None


def _user_cache() -> Path:
    """The platform's folder for caches; a relative path where the user has none."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", ""))
    if sys.platform == "darwin":
        return Path(os.path.expanduser("~/Library/Caches"))
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if os.path.isabs(given) else Path(os.path.expanduser("~/.cache"))


def _is_ours(status: os.stat_result) -> bool:
    """Whether the user owns something and nobody else can write to it (Windows: the folder is the user's own)."""
    if sys.platform == "win32":
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM).digest()


def _trim(directory: Path) -> None:
    """Remove what was not used for longest, until the rest is within the limit."""
    found: list[tuple[float, int, str]] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX) and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime, status.st_size, entry.path))
    except OSError:  # another process is trimming
        return
    total = 0
    for _, size, path in sorted(found, reverse=True):
        total += size
        if total > LIMIT:
            try:
                os.unlink(path)
            except OSError:
                continue


_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
