"""Files that a person names: looked at without surprise, and opened without ever waiting."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from app.errors import BadInputError
from app.sanitise import one_line


class NotAFile(OSError):
    """A pipe or a device stands there."""


def typed_path(text: str) -> Path:
    """What was typed as a path, with `~` for a home folder.

    Raises:
        BadInputError: it begins with the home of a user who does not exist.
    """
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise BadInputError(
            f"{one_line(path.parts[0], 80)} is no user here; type the whole path."
        ) from error


def stat_of(path: Path) -> os.stat_result | None:
    """What stands at a path; None where nothing does, or nothing can.

    `Path.exists` and its kin raise for a name that is too long and a folder that may not be
    searched: mistakes of whoever typed it, that the reading of the file tells best.
    """
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def open_regular(path: Path) -> BinaryIO:
    """Opens a file to read it. A plain open waits for good where a FIFO has no writer.

    Raises:
        OSError: it cannot be opened; IsADirectoryError for a folder, NotAFile for a pipe.
        ValueError: the name holds a NUL character.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    raise NotAFile(errno.EINVAL, "it is a pipe or a device, not a file")
