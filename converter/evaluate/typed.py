"""Dataclasses from JSON that anyone may have written, checked against their annotations."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from app.errors import BadInputError
from app.sanitise import one_line

Value = TypeVar("Value")

_MOST = 1 << 63
"""Whole numbers beyond are no counts, and cannot be reckoned with."""


def decode(kind: type[Value], value: object, where: str) -> Value:
    """The dataclass that a JSON object holds: every field of its annotated type, none unknown.

    A field that has a default may be left out.

    Args:
        kind: a dataclass of plain values, literals, tuples, mappings of texts and dataclasses.
        value: as `json` read it.
        where: names the object in the sentence.

    Raises:
        BadInputError: anything is missing, unknown or of another type.
    """
    if not isinstance(value, dict):
        raise BadInputError(f"{where} is no JSON object; the file is damaged or no evaluation.")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, kind))}
    for name in value:
        if name not in fields:
            raise BadInputError(
                f"{where} holds “{one_line(str(name), 40)}”, which this Bedside does not know; "
                "it is damaged or of a newer one."
            )
    found = {}
    for name, field in fields.items():
        if name in value:
            found[name] = _typed(hints[name], value[name], f"{where}: “{name}”")
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise BadInputError(f"{where} lacks “{name}”; the file is damaged or no evaluation.")
    return kind(**found)


def _typed(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        plain = next(one for one in arguments if one is not type(None))
        return None if value is None else _typed(plain, value, where)
    if origin is typing.Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(arguments[0], item, where) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {name: _typed(arguments[1], item, where) for name, item in value.items()}
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(type[Any], hint), value, where)
    if origin is None and _is_plain(hint, value):
        return float(value) if hint is float else value
    raise BadInputError(f"{where} is not of the right kind; the file is damaged or was edited.")


def _is_plain(hint: object, value: object) -> bool:
    """Whether a value is of a plain type; a whole number may stand for any, and True for none."""
    if isinstance(value, bool):
        return hint is bool
    if isinstance(value, int):
        return hint in (int, float) and abs(value) < _MOST
    if isinstance(value, float):
        return hint is float and math.isfinite(value)
    return isinstance(value, typing.cast(type, hint))
