"""Files that appear whole or not at all, in folders that only their owner can read."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
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
    place = path.with_name(f".{path.name[:180]}.{secrets.token_hex(6)}.partial")
    try:
        yield place
        with place.open("rb") as file:
            os.fsync(file.fileno())
        place.replace(path)
        sync_folder(path.parent)
    finally:
        place.unlink(missing_ok=True)


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
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
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
