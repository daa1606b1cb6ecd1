"""Reads a run log back: strict about what it understands, calm about a torn end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, BinaryIO, Union, get_args, get_origin, get_type_hints

from app.errors import BadInputError
from app.monitor.runlog import (
    SCHEMA,
    TYPE_NAMES,
    End,
    Header,
    Note,
    Record,
    Sample,
    TurnRecord,
)

LONGEST_LINE = 65536
"""The longest line that a writer makes is a header of about 2 kB."""

LARGEST_NUMBER = 1e18
"""Beyond any count or time; `1e999` reads as infinity."""

_KINDS: Mapping[str, type[Any]] = MappingProxyType(
    {name: kind for kind, name in TYPE_NAMES.items()}
)


@dataclass(frozen=True, slots=True)
class RunLog:
    """One file of a run."""

    header: Header
    samples: tuple[Sample, ...]
    turns: tuple[TurnRecord, ...]
    notes: tuple[Note, ...]
    end: End | None
    damage: tuple[str, ...]
    """What could not be read, in sentences."""


def read_log(path: Path) -> RunLog:
    """The run that a file holds.

    A last line without its newline was torn by a kill or a power cut: it is dropped and told in
    `damage`, as are lines in between that are no records.

    Raises:
        BadInputError: the file does not open, is no run log, or is of a newer schema.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.name)
    except OSError as error:
        raise BadInputError(
            f"The run log {path.name} cannot be read: {error.strerror or error}."
        ) from error


def _read(file: BinaryIO, name: str) -> RunLog:
    header = _header(file.readline(LONGEST_LINE), name)
    records: dict[type[Any], list[Any]] = {kind: [] for kind in _KINDS.values()}
    torn, broken = False, 0
    for line in iter(lambda: file.readline(LONGEST_LINE), b""):
        if not line.endswith(b"\n"):
            torn = True
        elif (record := decode(line)) is None:
            broken += 1
        else:
            records[type(record)].append(record)
    return RunLog(
        header=header,
        samples=tuple(records[Sample]),
        turns=tuple(records[TurnRecord]),
        notes=tuple(records[Note]),
        end=records[End][-1] if records[End] else None,
        damage=tuple(_damage(torn, broken)),
    )


def _header(line: bytes, name: str) -> Header:
    fields = _object(line)
    if fields is None or fields.get("type") != "run":
        raise BadInputError(f"{name} is no run log: its first line is not a run's header.")
    schema = fields.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise BadInputError(
            f"{name} was written by a newer Bedside (schema {schema}; this one reads {SCHEMA})."
        )
    header = decode(line)
    if not isinstance(header, Header) or header.schema != SCHEMA:
        raise BadInputError(f"{name} is no run log: its header lacks fields or has wrong ones.")
    return header


def decode(line: bytes) -> Record | None:
    """The record of one line; None where it is none. Fields that are not known are left out."""
    fields = _object(line)
    kind = _KINDS.get(str(fields.get("type"))) if fields is not None else None
    if fields is None or kind is None:
        return None
    try:
        record: Record = _build(kind, fields)
    except (TypeError, ValueError):
        return None
    return record


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number of a run log")


def _build(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    """A record from JSON. Raises TypeError where a field is missing or of another type."""
    hints = get_type_hints(kind)
    values = {
        entry.name: _value(hints[entry.name], fields[entry.name])
        for entry in dataclasses.fields(kind)
        if entry.name in fields
    }
    return kind(**values)


def _value(hint: Any, value: Any) -> Any:
    plain = _without_none(hint)
    if value is None:
        if plain is hint:
            raise TypeError("null where a value is needed")
        return None
    if dataclasses.is_dataclass(plain) and isinstance(plain, type):
        if not isinstance(value, dict):
            raise TypeError("no object where one is needed")
        return _build(plain, value)
    if not _matches(plain, value):
        raise TypeError(f"{value!r} is not of the type {plain}")
    return value


def _without_none(hint: Any) -> Any:
    """`float` of `float | None`; any other hint as it is."""
    if get_origin(hint) in (UnionType, Union):
        return next(part for part in get_args(hint) if part is not NoneType)
    return hint


def _matches(plain: Any, value: Any) -> bool:
    if get_origin(plain) is Mapping:
        entry = get_args(plain)[1]
        return isinstance(value, dict) and all(_matches(entry, part) for part in value.values())
    if plain is str:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, (int, float) if plain is float else int):
        return False
    return abs(value) <= LARGEST_NUMBER


def _damage(torn: bool, broken: int) -> Iterator[str]:
    if torn:
        yield "The last line was torn and is left out."
    if broken:
        lines = "One line is" if broken == 1 else f"{broken} lines are"
        yield f"{lines} no record of a run log and left out."
