"""The rows of a file of questions, read strictly: whatever is wrong names its place and field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.strictjson import parse_object
from converter.texts import file_text

LARGEST_FILE = 256 << 20
"""Bytes of text, unpacked; MedMCQA with its training part takes 150 MB."""
_LONGEST = 1 << 18
"""Characters of a field; the longest published abstract has about 6,000."""
_MOST_ITEMS = 1000
"""Entries of a list in a row."""
_MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and where it stands."""

    fields: Mapping[str, Any]
    place: str
    """As sentences name it: `line 3 of dev.jsonl`."""

    def wrong(self, what: str) -> BadInputError:
        """The complaint `Line 3 of dev.jsonl …`."""
        return BadInputError(f"{self.place[0].upper()}{self.place[1:]} {what}.")

    def value(self, name: str) -> Any:
        """A field that must be there. Raises BadInputError where it is not."""
        if name not in self.fields:
            raise self.wrong(
                f"has no field `{one_line(name, 40)}`; mend it or fetch the file again"
            )
        return self.fields[name]

    def text(self, name: str) -> str:
        """A field of words. Raises BadInputError where it is missing, empty or endless."""
        return self.words(self.value(name), f"its field `{one_line(name, 40)}`")

    def optional(self, name: str) -> str:
        """A field of words that may be missing, null or empty."""
        value = self.fields.get(name)
        return "" if value is None or value == "" else self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that lists words. Raises BadInputError where it does not."""
        listed = self.value(name)
        if not isinstance(listed, list) or len(listed) > _MOST_ITEMS:
            raise self.wrong(f"must list texts in its field `{one_line(name, 40)}`")
        return tuple(self.words(item, f"an entry of `{one_line(name, 40)}`") for item in listed)

    def words(self, value: Any, what: str) -> str:
        """A value as words, without spaces around them. Raises BadInputError where it is none."""
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"must have words in {what}")
        if len(value) > _LONGEST:
            raise self.wrong(f"has {len(value):,} characters in {what}; no question is that long")
        return value.strip()


@dataclass(frozen=True, slots=True)
class SetFile:
    """A file of questions before anyone knows whose form it is in."""

    path: Path
    sha256: str
    rows: tuple[Row, ...]
    """Of JSON lines; empty where the file is one object."""
    whole: Mapping[str, Any] | None = None
    """The one object that the file is, as PubMedQA is published."""

    @property
    def name(self) -> str:
        """For sentences."""
        return one_line(self.path.name, 80)


def read_file(path: Path) -> SetFile:
    """Read JSON lines, or one JSON object of keyed entries, either in gzip too.

    Raises:
        BadInputError: it is missing, too large, not UTF-8, not JSON, or empty.
    """
    text, sha256 = file_text(path, LARGEST_FILE)
    name = one_line(path.name, 80)
    if text.lstrip().startswith("["):
        raise BadInputError(
            f"{name} is one JSON list; give JSON lines instead: `jq -c '.[]' {name}` makes them."
        )
    whole = _keyed(text, name)
    if whole is not None:
        return SetFile(path, sha256, (), whole)
    rows = tuple(_lines(text, name))
    if not rows:
        raise BadInputError(f"{name} is empty; name a file with questions.")
    return SetFile(path, sha256, rows)


def _keyed(text: str, name: str) -> dict[str, Any] | None:
    """The object that the whole file is: one over many lines, or one of numbered entries."""
    first = text.lstrip().split("\n", 1)[0]
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return parse_object(text.encode(), name) if first.strip() in ("{", "{}") else None
    if isinstance(row, dict) and row and all(key.isdecimal() for key in row):
        return parse_object(text.encode(), name)
    return None


def _lines(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if number > _MOST_ROWS:
            raise BadInputError(f"{name} has more than {_MOST_ROWS:,} lines; no such set is known.")
        if line.strip():
            place = f"line {number} of {name}"
            yield Row(parse_object(line.encode(), f"Line {number} of {name}"), place)
