"""The record of what was changed on this system, so that the uninstaller can change it back.

It lies with root's settings, and not in the service's state folder: a service that could replace
it would tell root what to remove.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from app.errors import BadInputError
from app.files import disk_of, write_whole
from app.releases.fields import Fields
from app.releases.host import Host
from app.releases.layout import Layout
from app.releases.manifest import BOARDS

_SCHEMA = 1
_LARGEST = 256 * 1024
_FORMS = {
    "file": "etc/bedside/allowed_signers",
    "link": "usr/local/bin/bedside",
    "user": "bedside",
    "enabled": r"bedside[A-Za-z0-9@_.-]*",
    "target": r"[A-Za-z0-9@_.-]+\.target",
    "offer": r"[a-z][a-z0-9-]*",
}
"""What a change of each kind may be of. Whatever else stands in a damaged record, no uninstaller
removes a file, a user or a service for it that is not Bedside's."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change."""

    kind: str
    """`file` and `link`: made at the path `name`. `user`: made. `enabled`: a unit.
    `target`: what the board started into before. `offer`: of the board's privacy, taken."""
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """All changes, oldest first, and how the first installation was told to go about it."""

    changes: tuple[Change, ...] = ()
    systemd: bool = True
    """Whether units may be set up."""
    board: str | None = None
    """What a person said this board is; None where it was found out."""

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of all changes of a kind."""
        return tuple(change.name for change in self.changes if change.kind == kind)

    def with_change(self, change: Change) -> Record:
        """The record with one more change; the same one where it stands there already."""
        if change in self.changes:
            return self
        return dataclasses.replace(self, changes=(*self.changes, change))

    def without(self, change: Change) -> Record:
        """The record once a change was taken back."""
        left = tuple(one for one in self.changes if one != change)
        return dataclasses.replace(self, changes=left)


def read_record(layout: Layout) -> Record:
    """The record; an empty one where nothing was changed yet. Raises BadInputError if damaged."""
    try:
        content = layout.changes.read_bytes()
    except FileNotFoundError:
        return Record()
    except OSError as error:
        raise BadInputError(
            f"The record of changed settings, {layout.changes}, cannot be read ({error.strerror})."
        ) from error
    fields = Fields.read(content, "The record of changed settings", _LARGEST)
    fields.number("schema", _SCHEMA, _SCHEMA)
    changes = fields.inner("changes")
    board = fields.choice("board", ("", *BOARDS), empty=True)
    return Record(
        changes=tuple(_change(changes.inner(place)) for place in changes.names(1000)),
        systemd=fields.number("systemd", 0, 1) == 1,
        board=board or None,
    )


def write_record(layout: Layout, record: Record) -> None:
    """Writes the record; before a change is made, so that none is ever made and not recorded.

    Raises:
        ResourceError: the disk cannot be written.
    """
    tree = {
        "schema": _SCHEMA,
        "systemd": int(record.systemd),
        "board": record.board or "",
        "changes": {
            str(place): dataclasses.asdict(one) for place, one in enumerate(record.changes)
        },
    }
    with disk_of(layout.settings):  # the service reads its settings here
        layout.settings.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_whole(layout.changes, (json.dumps(tree, indent=1) + "\n").encode())


def change(host: Host, kind: str, name: str, sentence: str) -> None:
    """Record and tell a change that is about to be made. Raises ResourceError."""
    record = read_record(host.layout)
    if Change(kind, name) not in record.changes:
        write_record(host.layout, record.with_change(Change(kind, name)))
        host.tell(f"Changed: {sentence}")


def _change(fields: Fields) -> Change:
    kind = fields.choice("kind", _FORMS)
    return Change(kind, fields.matching("name", _FORMS[kind]))
