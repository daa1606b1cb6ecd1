"""What the records of a kept conversation hold, as JSON: what it is about, and its turns."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from app.conversation.turns import Turn
from app.errors import BadInputError

_STEP = 512
"""Bytes. Records are filled up to a multiple, so that their lengths do not tell a short answer
from a long one word by word."""


@dataclass(frozen=True, slots=True)
class About:
    """What a kept conversation is about. The latest one in the file holds."""

    title: str = ""
    model: str = ""
    demonstration: str = ""
    """The sentence that stands at every answer of a demonstration model, else empty."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished turn, at its place. A later one at the same place holds in its stead."""

    place: int
    """Counted from 0; at most one behind the last."""
    turn: Turn


_KINDS: dict[str, type[About] | type[Kept]] = {"about": About, "turn": Kept}


def encode(record: About | Kept) -> bytes:
    """A record's bytes before they are sealed."""
    kind = "about" if isinstance(record, About) else "turn"
    plain = json.dumps({kind: dataclasses.asdict(record)}, separators=(",", ":")).encode("ascii")
    return plain + b" " * (-len(plain) % _STEP)


def decode(plain: bytes, room: int) -> About | Kept:
    """The record that was encoded.

    Args:
        plain: its bytes.
        room: how many turns stand before it; a turn's place is among them or the next.

    Raises:
        BadInputError: it holds what this version does not know. Its seal was whole, so another
            version of Bedside wrote it.
    """
    try:
        ((kind, fields),) = json.loads(plain).items()
        record = cast("About | Kept", _read(_KINDS[kind], fields))
        if isinstance(record, Kept) and not 0 <= record.place <= room:
            raise ValueError("no such place")
        return record
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # The cause is not chained: it would hold a person's words.
        raise BadInputError(
            "This conversation was kept by another version of Bedside, and this one cannot read "
            "all of it. Update Bedside; the file is left as it is."
        ) from None


def _read(hint: Any, value: Any) -> Any:
    """`value` as the type that the hint names. Raises ValueError, TypeError, KeyError."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = _hints(hint)
        return hint(**{name: _read(hints[name], field) for name, field in value.items()})
    origin, choices = get_origin(hint), get_args(hint)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(choices[0], item) for item in value)
    if origin in (Union, UnionType):
        return _first_that_reads(choices, value)
    if origin is Literal and value in choices:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise ValueError("a field of another type")


def _first_that_reads(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints[:-1]:
        try:
            return _read(hint, value)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return _read(hints[-1], value)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
