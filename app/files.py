"""Files that appear whole or not at all, in folders that only their owner can read."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import ResourceError
from app.folders import private_folder
from app.sanitise import one_line


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; what stands there afterwards takes `path`'s place.

    The place does not exist yet. Whatever goes wrong, it is removed and `path` is as it was.

    Raises:
        ResourceError: the disk is full, read-only or failing.
    """
    private_folder(path.parent)
    with disk_of(path), exchanged(path) as place:
        yield place


@contextmanager
def exchanged(path: Path) -> Iterator[Path]:
    """As `arriving`, in a folder that is there, with the system's own errors. Raises OSError."""
    with passing(path.parent, path.name) as place:
        yield place
        with place.open("rb") as file:
            os.fsync(file.fileno())
        place.replace(path)
        sync_folder(path.parent)


@contextmanager
def passing(folder: Path, name: str) -> Iterator[Path]:
    """A place in a folder that is gone after the block. Raises OSError.

    What stands there when the process is killed, or the power goes, is removed by the next block
    of that name: a block shares a lock on the folder, and who gets it alone may sweep.
    """
    stem = f".{name[:180]}."
    with _open_folder(folder) as descriptor:
        with suppress(OSError):  # others write here, this disk has no locks, or it is not ours
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sweep(folder, stem)
        with suppress(OSError):  # without locks nobody sweeps
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        place = folder / f"{stem}{secrets.token_hex(6)}.partial"
        try:
            yield place
        finally:
            place.unlink(missing_ok=True)


def _sweep(folder: Path, stem: str) -> None:
    token = "[0-9a-f]{12}[.]partial"
    left = re.compile(rf"{re.escape(stem)}{token}|[.]{re.escape(stem)}{token}[.]{token}")  # nested
    for path in folder.iterdir():
        if left.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process is in such a block for `path`: to read, change and write it.

    The lock is a file of its own beside `path`, which stays; its death ends a process's hold.

    Raises:
        ResourceError: the disk is full, read-only or failing.
    """
    private_folder(path.parent)
    lock = path.with_name(f".{path.name}.lock")
    with disk_of(path):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with disk_of(path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def disk_of(path: Path) -> Iterator[None]:
    """Tells what the system says against a change to `path` as a sentence.

    Raises:
        ResourceError: the disk is full, read-only or failing.
    """
    try:
        yield
    except OSError as error:
        raise ResourceError(_told(path, error)) from error


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a small file's content at once; readable by its owner alone.

    Raises:
        ResourceError: the disk is full, read-only or failing.
    """
    with arriving(path) as place:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def sync_folder(folder: Path) -> None:
    """Make what happened to the names in a folder outlast a loss of power. Raises OSError."""
    with _open_folder(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _told(path: Path, error: OSError) -> str:
    where = one_line(str(path.parent))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that {where} lies on is full. Make room, then try again."
    if error.errno == errno.EROFS:
        return f"The folder {where} is on a read-only disk. Mount it writable, then try again."
    return (
        f"{one_line(path.name, 80)} could not be written to {where} ({error.strerror}). "
        "Check the folder's permissions and the disk."
    )
