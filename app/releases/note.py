"""The note in a release that says what it is. It is written last: a folder without it is none."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from app.errors import BadInputError
from app.files import write_whole
from app.releases.fields import Fields
from app.releases.layout import NOTE
from app.releases.manifest import Manifest
from app.sanitise import one_line

_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of an installed release without its bundle."""

    version: str
    python: str
    """That its environment was made with; it runs with no other."""
    model_name: str
    model_sha256: str

    @classmethod
    def of(cls, manifest: Manifest, python: str) -> Note:
        """The note of a release that was made of a bundle."""
        model = manifest.model
        return cls(manifest.version, python, model.name, model.sha256)


def write_note(release: Path, note: Note) -> None:
    """Makes the folder a release. Raises ResourceError."""
    write_whole(release / NOTE, (json.dumps(dataclasses.asdict(note), indent=1) + "\n").encode())


def read_note(release: Path) -> Note:
    """What the note says. Raises BadInputError where it is damaged."""
    where = f"The note of the release in {one_line(str(release))}"
    try:
        content = (release / NOTE).read_bytes()
    except OSError as error:
        raise BadInputError(
            f"{where} cannot be read ({error.strerror}). Check the disk."
        ) from error
    fields = Fields.read(content, where, _LARGEST)
    return Note(
        version=fields.text("version"),
        python=fields.text("python"),
        model_name=fields.text("model_name"),
        model_sha256=fields.sha256("model_sha256"),
    )
