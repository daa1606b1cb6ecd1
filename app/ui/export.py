"""Writing a conversation to a file, for the user alone and never over another file."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.assistant.notices import DEMONSTRATION
from app.conversation.export import to_markdown
from app.errors import BadInputError, BedsideError, ResourceError

if TYPE_CHECKING:
    from app.ui.ports import ChatAssistant

_NAME = "bedside-conversation"
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What a memory stick with FAT answers to a hard link."""


def as_markdown(assistant: ChatAssistant, notice: str) -> str:
    """The conversation as it stands on the screen."""
    model = assistant.model
    return to_markdown(
        assistant.conversation,
        model.name if model else "",
        DEMONSTRATION if assistant.demonstration else "",
        notice,
    )


def proposed_path(folder: Path) -> Path:
    """The first name of the form `bedside-conversation-2.md` that is free in the folder."""
    path = folder / f"{_NAME}.md"
    number = 2
    while path.exists():
        path = folder / f"{_NAME}-{number}.md"
        number += 1
    return path


def write_new(path: Path, text: str) -> None:
    """Write a new file that only its owner can read; it appears whole or not at all.

    Raises:
        BadInputError: The path is taken, or its folder is missing or closed to the user.
        ResourceError: The disk is full.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=".bedside-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(Path(name), path)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError as error:
        raise BadInputError(f"{path} is there already; choose another name.") from error
    except OSError as error:
        raise _failure(path, error) from error


def _put_in_place(whole: Path, path: Path) -> None:
    """Give the finished file its name. A link, unlike a rename, fails where a file is."""
    try:
        path.hardlink_to(whole)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        path.touch(mode=0o600, exist_ok=False)  # takes the name, or fails where a file is
        whole.replace(path)


def _failure(path: Path, error: OSError) -> BedsideError:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return ResourceError(f"The disk is full; {path.name} was not written.")
        case errno.ENOENT | errno.ENOTDIR:
            return BadInputError(f"There is no folder {path.parent}; choose another place.")
        case errno.EACCES | errno.EROFS:
            return BadInputError(f"You may not write into {path.parent}; choose another place.")
    return BadInputError(f"{path.name} could not be written ({error.strerror}).")
