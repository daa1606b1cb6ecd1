"""What a long road made on its way, kept under the hash of all it was made from.

An entry is a file and, beside it, the hash of its bytes. The hash is written last: an entry that
was cut short, or has rotted since, is known by it and made again. What a killed run had begun is
removed when the next stage is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from app.errors import ResourceError
from app.files import passing
from app.sanitise import one_line
from converter.files import whole_file
from converter.hashes import file_sha256

Inputs = Mapping[str, object]
"""All that an entry depends on, in what JSON can say: hashes and options, no paths, no clock."""


def default_cache() -> Path:
    """The user's folder for what can be made again."""
    return user_cache_path("bedside") / "converter"


@dataclass(slots=True)
class Cache:
    """A folder of entries, and a record of which of them this run had to make."""

    folder: Path
    made: list[str] = field(default_factory=list)
    """Stages that were done in this run, in their order."""
    found: list[str] = field(default_factory=list)
    """Stages whose entry was there."""

    def get(self, stage: str, suffix: str, inputs: Inputs, make: Callable[[Path], object]) -> Path:
        """The entry of a stage, made if it is not there whole.

        Args:
            stage: what the stage is called; part of the entry's name.
            suffix: of the entry, such as `.gguf`.
            inputs: what it depends on.
            make: writes the entry to the path that it is given.

        Raises:
            ResourceError: the folder cannot be written; and whatever `make` raises. Neither
                leaves an entry.
        """
        key = hashlib.sha256(json.dumps([stage, inputs], sort_keys=True).encode()).hexdigest()
        entry = self.folder / f"{stage}-{key[:32]}{suffix}"
        if _is_whole(entry):
            self.found.append(stage)
            return entry
        self.make_folder()
        with passing(self.folder, "stage") as part:
            make(part)
            digest = file_sha256(part)
            part.replace(entry)
            with whole_file(_seal(entry)) as file:
                file.write(digest.encode())
        self.made.append(stage)
        return entry

    def make_folder(self) -> None:
        """See that the folder is there.

        Raises:
            ResourceError: it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ResourceError(
                f"The cache folder {one_line(str(self.folder))} cannot be made "
                f"({error.strerror}); name another with --cache."
            ) from error


def _seal(entry: Path) -> Path:
    return entry.with_name(f"{entry.name}.sha256")


def _is_whole(entry: Path) -> bool:
    """Whether the entry is there and is what its hash says."""
    seal = _seal(entry)
    if not entry.is_file() or not seal.is_file():
        return False
    try:
        return seal.read_text("ascii", errors="replace") == file_sha256(entry)
    except OSError as error:
        raise ResourceError(
            f"The cache entry {one_line(str(entry))} cannot be read ({error.strerror}); "
            "take it away, or name another folder with --cache."
        ) from error
