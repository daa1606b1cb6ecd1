"""Output files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.errors import ResourceError, UsageError
from app.files import exchanged
from app.sanitise import one_line


def check_output(path: Path, *, force: bool) -> None:
    """See that a file can be written here before any work is done for it.

    Raises:
        UsageError: The folder is missing, or something stands there that must not be lost.
    """
    if path.is_dir():
        raise UsageError(f"{one_line(str(path))} is a folder; name the file to write in it.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {one_line(str(path.parent))}; make it first.")
    if path.exists() and not path.is_file():
        raise UsageError(f"{one_line(str(path))} is no ordinary file; name another output.")
    if path.exists() and not force:
        raise UsageError(f"{one_line(str(path))} exists; name another file, or give --force.")


def check_not_read(out: Path, inputs: Iterable[Path]) -> None:
    """See that an output does not take the place of what it is made from.

    Args:
        out: the file to be written.
        inputs: files and checkpoint folders. Of a folder every file counts but GGUF files, which
            are outputs there and are never read from it.

    Raises:
        UsageError: It is one of them, by this name or another.
    """
    if out.exists() and any(_has(path, out) for path in inputs):
        raise UsageError(
            f"{one_line(str(out))} is read itself and would be lost; name another output."
        )


def _has(path: Path, file: Path) -> bool:
    try:
        members = path.iterdir() if path.is_dir() else (path,)
        read = [one for one in members if one == path or one.suffix != ".gguf"]
        return any(one.exists() and one.samefile(file) for one in read)
    except PermissionError:
        return False  # whoever reads it says so


def check_space(folder: Path, needed: int) -> None:
    """See that a file of `needed` bytes fits beside what the folder's disk holds.

    Raises:
        ResourceError: It does not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ResourceError(
            f"The output needs {_megabytes(needed)}, but {one_line(str(folder.resolve()))} has "
            f"{_megabytes(free)} free; make room or write to another disk."
        )


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends well, and is gone when it does not.

    It is written beside `path` and flushed to the disk before the exchange, so a reader, a crash
    or a full disk never meets half of it.

    Raises:
        UsageError: The folder cannot be written.
        ResourceError: The disk filled up, or failed.
    """
    try:
        with exchanged(path) as place, place.open("xb") as file:
            yield file
    except OSError as error:
        raise _told(error, path) from error


def _told(error: OSError, path: Path) -> ResourceError | UsageError:
    name = one_line(str(path))
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ResourceError(f"The disk filled up while {name} was written; nothing was kept.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UsageError(f"{name} cannot be written there: {error.strerror}.")
    return ResourceError(f"Writing {name} failed: {error.strerror}; nothing was kept.")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
