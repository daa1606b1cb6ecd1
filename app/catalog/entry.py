"""One model of a catalogue, and how it is read from a table of TOML or JSON."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What a model may be called: easy to type, and safe as the name of a file."""

_SHA256 = re.compile(r"([0-9a-f]{64})?")
_KINDS: Mapping[str, type] = {"str": str, "int": int, "bool": bool}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a model before its file is opened."""

    name: str
    """What a person types."""
    file: str
    """Name of the file inside its folder; for a model that is not there, what it would be."""
    sha256: str
    """Of the whole file, 64 hex digits; empty where the file is not ours to know."""
    bytes: int
    """Of the file; where `computed`, of its tensors alone."""
    licence: str
    source: str
    """Where the weights come from: a Hugging Face id, or a sentence."""
    context: int
    """Tokens that it was trained on at once."""
    good_for: str
    not_good_for: str
    parameters: int = 0
    memory: int = 0
    """Bytes that it needs on a Pi 5 with 2,048 tokens of context; 0 where unknown."""
    boards: tuple[str, ...] = ()
    """Board profiles that have the memory for it at their own context."""
    demonstration: bool = False
    """Only there to try the program: nothing it says may be relied on."""
    computed: bool = False
    """The size follows from the published configuration; nobody here has made the file."""


def parse_entries(tables: object, where: str) -> tuple[Entry, ...]:
    """The entries of a catalogue file.

    Args:
        tables: what stands under `model`, of any shape: it is checked here.
        where: the file, for complaints.

    Raises:
        BadInputError: an entry is not as it should be; the sentence names it.
    """
    if not isinstance(tables, list):
        raise BadInputError(f"The catalogue {where} has no list of models. Restore the file.")
    entries = tuple(
        _parse(table, f"entry {place} of {where}") for place, table in enumerate(tables, 1)
    )
    twice = _repeated(entry.name for entry in entries)
    if twice:
        raise BadInputError(f"The catalogue {where} has “{twice}” twice. Take one out.")
    return entries


def _repeated(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _parse(table: object, where: str) -> Entry:
    if not isinstance(table, Mapping):
        raise BadInputError(f"The {where} is no table. Restore the file.")
    fields = {field.name: field for field in dataclasses.fields(Entry)}
    unknown = [str(key) for key in table if key not in fields]
    if unknown:
        raise BadInputError(f"The {where} has an unknown key “{one_line(unknown[0], 60)}”.")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _value(name, str(field.type), table[name], where)
        elif field.default is dataclasses.MISSING:
            raise BadInputError(f"The {where} has no “{name}”. Add it.")
    return _sound(Entry(**values), where)


def _value(name: str, kind: str, value: object, where: str) -> object:
    if kind == "tuple[str, ...]":
        if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            return tuple(value)
    elif type(value) is _KINDS[kind]:
        return value
    raise BadInputError(f"The value of “{name}” in {where} is not of the right kind. Correct it.")


def _sound(entry: Entry, where: str) -> Entry:
    """The entry, once what would be dangerous in it is ruled out: names that lead elsewhere."""
    faults = {
        "name": not NAME.fullmatch(entry.name),
        "file": "/" in entry.file or "\0" in entry.file or entry.file in {"", ".", ".."},
        "sha256": not _SHA256.fullmatch(entry.sha256),
        "bytes": entry.bytes < 0,
        "context": entry.context < 1,
    }
    for name, wrong in faults.items():
        if wrong:
            raise BadInputError(f"The value of “{name}” in {where} cannot be used. Correct it.")
    return entry
