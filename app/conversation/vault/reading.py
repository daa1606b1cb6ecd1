"""Kept conversations read from the disk: opened, locked, unsealed, gathered into turns."""

from __future__ import annotations

import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from app.conversation.turns import Turn
from app.conversation.vault.format import (
    HEADER_LENGTH,
    LARGEST_FILE,
    DamagedVaultError,
    FileKeys,
    Header,
    Passphrase,
    check_passphrase,
    open_records,
    read_header,
)
from app.conversation.vault.records import About, Kept, decode
from app.errors import BadInputError, UsageError
from app.sanitise import one_line

SUFFIX = ".vault"

UNFINISHED = "The last turn was not finished when it was written and is not in the file."
"""Of a file whose end is torn."""

_TITLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds."""

    about: About
    turns: tuple[Turn, ...]
    records: int
    end: int
    """Where the last whole record ends, in bytes."""
    written: float
    """When the file was last added to, in seconds since 1970."""
    torn: bool
    """Whether something unfinished stands behind it; `UNFINISHED` says so."""
    damage: DamagedVaultError | None
    """Why the records after these cannot be read."""

    @property
    def title(self) -> str:
        """The title that was given, or the beginning of the first question."""
        first = self.turns[0].question if self.turns else ""
        return one_line(self.about.title or first, _TITLE_LENGTH) or "(nothing asked yet)"


def kept_files(folder: Path) -> list[Path]:
    """The kept conversations of a folder, the latest first. Raises BadInputError."""
    try:
        found = folder.glob(f"*{SUFFIX}")
        return sorted(found, key=lambda path: path.lstat().st_mtime, reverse=True)
    except OSError as error:
        raise BadInputError(
            f"The folder of kept conversations cannot be read ({error.strerror}). Check its "
            "permissions."
        ) from error


def read_vault(path: Path, passphrase: Passphrase) -> Contents:
    """What a file holds, up to damage if there is any; the file is not touched.

    Raises:
        WrongPassphraseError, DamagedVaultError, NewerVaultError, BadInputError: as `Vault.open`,
            but damage is raised only where it is in the file's beginning.
    """
    descriptor = open_file(path, os.O_RDONLY)
    try:
        return read_open(descriptor, passphrase)[2]
    finally:
        os.close(descriptor)


def open_file(path: Path, how: int) -> int:
    """A descriptor of the file, opened O_RDONLY or O_RDWR. Raises BadInputError."""
    flags = how | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not be waited for
    try:
        return os.open(path, flags)
    except OSError as error:
        raise BadInputError(
            f"The kept conversation {one_line(path.stem, 80)} cannot be opened ({error.strerror}). "
            "`bedside history list` shows which there are."
        ) from error


def lock(descriptor: int) -> None:
    """Keep every other Bedside from opening the file. Raises UsageError where one has it open."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(
            "This kept conversation is open in another Bedside. Close it there first."
        ) from error


def load(descriptor: int) -> bytes:
    """The whole file. Raises BadInputError where it is none, or too large to be Bedside's."""
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE:
            raise BadInputError("This file is no kept conversation of Bedside's.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadInputError(
            f"The kept conversation cannot be read ({error.strerror}). Check the disk."
        ) from error


def read_open(descriptor: int, passphrase: Passphrase) -> tuple[Header, FileKeys, Contents]:
    """What is needed to go on with the file, and what it holds. Raises as `read_vault`."""
    raw = load(descriptor)
    header = read_header(raw)
    keys = passphrase.keys(header)
    check_passphrase(raw, header, keys)
    return header, keys, _gather(raw, header, keys, os.fstat(descriptor).st_mtime)


def _gather(raw: bytes, header: Header, keys: FileKeys, written: float) -> Contents:
    about, turns = About(), list[Turn]()
    records, end = 0, HEADER_LENGTH
    damage: DamagedVaultError | None = None
    try:
        for opened in open_records(raw, header, keys):
            match decode(opened.plain, room=len(turns)):
                case About() as about:
                    pass
                case Kept(place, turn):
                    turns[place : place + 1] = [turn]
            records, end = records + 1, opened.end
    except DamagedVaultError as error:
        damage = error
    torn = damage is None and end < len(raw)
    return Contents(about, tuple(turns), records, end, written, torn, damage)
