"""One key/value of a GGUF file, as the rooms of the converter hand it to each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gguf import GGUFValueType

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Field:
    """A key with a value of a stated GGUF type, so that no writer has to guess the type."""

    key: str
    value: Scalar | Sequence[Scalar]
    kind: GGUFValueType
    element: GGUFValueType | None = None
    """The type of the elements when kind is ARRAY; None otherwise."""


def replaced(fields: Iterable[Field], *new: Field) -> tuple[Field, ...]:
    """The fields with `new` at their end, in place of those of the same keys.

    A file that is made from a file of our own would else hold its keys twice, and no loader takes
    that.
    """
    keys = {field.key for field in new}
    return (*(field for field in fields if field.key not in keys), *new)


def text(key: str, value: str) -> Field:
    """A string."""
    return Field(key, value, GGUFValueType.STRING)


def uint32(key: str, value: int) -> Field:
    """An unsigned integer, the type llama.cpp expects of every count and token id."""
    return Field(key, value, GGUFValueType.UINT32)


def int32(key: str, value: int) -> Field:
    """A signed integer."""
    return Field(key, value, GGUFValueType.INT32)


def float32(key: str, value: float) -> Field:
    """A 32-bit float."""
    return Field(key, value, GGUFValueType.FLOAT32)


def flag(key: str, value: bool) -> Field:
    """A boolean."""
    return Field(key, value, GGUFValueType.BOOL)


def array(key: str, values: Sequence[Scalar], element: GGUFValueType) -> Field:
    """A list whose elements all have the GGUF type `element`."""
    return Field(key, values, GGUFValueType.ARRAY, element)
