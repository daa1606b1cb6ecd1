"""SHA-256 of model files, and what was checked before, so that a start need not read gigabytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from app.errors import BadInputError
from app.files import write_whole
from app.sanitise import one_line

_CHUNK = 4 * 1024 * 1024
_FILE = "checked-models.json"
_MOST = 100
"""Files remembered; more than anyone has on a board."""

Progress = Callable[[int], None]
"""Called with the number of bytes read since the last call."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What shows that a file is still the one that was checked, without reading it."""

    bytes: int
    changed_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The file's stamp now. Raises BadInputError where there is no such file."""
        try:
            found = path.stat()
        except OSError as error:
            raise _unreadable(path, error) from error
        return cls(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)


def sha256_of(path: Path, progress: Progress = lambda _read: None) -> str:
    """The SHA-256 of a whole file, as 64 hex digits; some 10 s for 1 GB on an SD card.

    Raises:
        BadInputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                progress(len(chunk))
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()


class CheckedFiles:
    """The record of files whose hash was taken, in the user's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE

    def known(self, path: Path) -> str | None:
        """The file's hash as taken before; None where it was never taken, or the file changed."""
        note = self._notes().get(os.fspath(path.absolute()))
        if not isinstance(note, dict) or note.get("stamp") != asdict(Stamp.of(path)):
            return None
        found = note.get("sha256")
        return found if isinstance(found, str) else None

    def remember(self, path: Path, sha256: str, stamp: Stamp) -> None:
        """Notes the hash of a file, with its stamp from before the file was read."""
        notes = self._notes()
        notes.pop(os.fspath(path.absolute()), None)
        notes[os.fspath(path.absolute())] = {"sha256": sha256, "stamp": asdict(stamp)}
        newest = dict(list(notes.items())[-_MOST:])
        write_whole(self._path, json.dumps(newest, indent=1).encode())

    def hash(self, path: Path, progress: Progress = lambda _read: None) -> str:
        """The file's hash: the known one, or taken now and remembered."""
        known = self.known(path)
        return self.take(path, progress) if known is None else known

    def take(self, path: Path, progress: Progress = lambda _read: None) -> str:
        """The file's hash, taken now in any case, and remembered."""
        stamp = Stamp.of(path)
        sha256 = sha256_of(path, progress)
        self.remember(path, sha256, stamp)
        return sha256

    def _notes(self) -> dict[str, object]:
        """What is remembered; a missing or damaged record only costs another reading."""
        try:
            notes = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return notes if isinstance(notes, dict) else {}


def _unreadable(path: Path, error: OSError) -> BadInputError:
    return BadInputError(
        f"The model file {one_line(str(path))} cannot be read ({error.strerror}). "
        "Check its name, its permissions and the disk."
    )
