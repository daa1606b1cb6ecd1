"""The head of a GGUF file: everything before the weights.

gguf-py's writer wants every tensor whole; this one is told their types and sizes, so that weights
can follow in pieces, and the size of the file is known before a byte of it is written.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gguf import GGML_QUANT_SIZES, GGUFValueType
from gguf import GGMLQuantizationType as Kind

from converter.metadata import Field, Scalar

ALIGNMENT = 32
"""Bytes to which the data of every tensor is padded: GGUF's default, so it needs no key."""
_MAGIC, _VERSION = b"GGUF", 3
_CODES = {
    GGUFValueType.UINT8: "B", GGUFValueType.INT8: "b",
    GGUFValueType.UINT16: "H", GGUFValueType.INT16: "h",
    GGUFValueType.UINT32: "I", GGUFValueType.INT32: "i",
    GGUFValueType.UINT64: "Q", GGUFValueType.INT64: "q",
    GGUFValueType.FLOAT32: "f", GGUFValueType.FLOAT64: "d", GGUFValueType.BOOL: "?",
}  # fmt: skip
"""GGUF's types as `struct` calls them; it refuses a number that does not fit."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of the file: its place in the table of tensors."""

    name: str
    shape: tuple[int, ...]
    """In NumPy's order; the file names the row length first."""
    kind: Kind

    @property
    def elements(self) -> int:
        """How many weights it holds."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its data, without padding."""
        block, size = GGML_QUANT_SIZES[self.kind]
        return self.elements // block * size


def padding(position: int) -> bytes:
    """The zeros that bring `position` to the next multiple of the alignment."""
    return bytes(-position % ALIGNMENT)


def pack_header(fields: Sequence[Field], entries: Sequence[Entry]) -> bytes:
    """The head of a file with these keys and these tensors, padded to where the data begins."""
    keys = [field.key for field in fields]
    assert len(set(keys)) == len(keys), f"a key stands twice: {sorted(keys)}"
    parts = [_MAGIC, struct.pack("<IQQ", _VERSION, len(entries), len(fields))]
    for field in fields:
        parts += _string(field.key), struct.pack("<I", field.kind), _value(field)
    offset = 0
    for entry in entries:
        parts += _string(entry.name), struct.pack("<I", len(entry.shape))
        parts.append(struct.pack(f"<{len(entry.shape)}Q", *reversed(entry.shape)))
        parts.append(struct.pack("<IQ", entry.kind, offset))
        offset += entry.nbytes + len(padding(entry.nbytes))
    head = b"".join(parts)
    return head + padding(len(head))


def _value(field: Field) -> bytes:
    if isinstance(field.value, (str, int, float)):
        return _packed([field.value], field.kind)
    assert field.element is not None, "an array states the type of its elements"
    head = struct.pack("<IQ", field.element, len(field.value))
    return head + _packed(field.value, field.element)


def _packed(values: Sequence[Scalar], kind: GGUFValueType) -> bytes:
    if kind is GGUFValueType.STRING:
        return b"".join(_string(str(value)) for value in values)
    return struct.pack(f"<{len(values)}{_CODES[kind]}", *values)


def _string(text: str) -> bytes:
    """A string as GGUF has it; half a surrogate pair, which UTF-8 has no bytes for, becomes `?`."""
    encoded = text.encode("utf-8", errors="replace")
    return struct.pack("<Q", len(encoded)) + encoded
