"""The safetensors format, read by us: a length, a JSON header, then bytes.

Strict as the format's own reader is, since its header is a stranger's: every tensor's bytes are
where it says, as many as its shape and type need, with neither overlaps nor holes.
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.strictjson import parse_object
from converter.checkpoint.tensors import SourceTensor

HEADER_LIMIT = 100_000_000
"""Bytes of header that the format's own reader accepts at most."""

_ELEMENT_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
    "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
}  # fmt: skip

_METADATA = "__metadata__"
_MOST_DIMENSIONS = 8


def read_index(path: Path) -> list[SourceTensor]:
    """The tensors of one safetensors file, sorted by name as the stock converter takes them.

    Raises:
        BadInputError: The file is not a whole and honest safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise BadInputError(
                f"{path.name} is cut short or not a safetensors file: its header should be "
                f"{length} bytes long, and the file has {size}; fetch it again."
            )
        if length > HEADER_LIMIT:
            raise BadInputError(f"{path.name} has a header of {length} bytes, which none needs.")
        header = parse_object(file.read(length), f"The header of {path.name}")
    start = 8 + length
    tensors = [
        _tensor(path, name, entry, start) for name, entry in header.items() if name != _METADATA
    ]
    _check_layout(path, tensors, start, size)
    return sorted(tensors, key=lambda tensor: tensor.name)


def _tensor(path: Path, name: str, entry: Any, start: int) -> SourceTensor:
    """One entry of the header; `start` is where the file's data begins."""
    if not isinstance(entry, dict):
        raise _malformed(path, name, "its entry is not an object")
    shape, offsets = _whole_numbers(entry.get("shape")), _whole_numbers(entry.get("data_offsets"))
    dtype = entry.get("dtype")
    if shape is None or len(shape) > _MOST_DIMENSIONS or offsets is None or len(offsets) != 2:
        raise _malformed(path, name, "its shape or its place is not a short list of whole numbers")
    if not isinstance(dtype, str) or dtype not in _ELEMENT_BYTES:
        raise _malformed(path, name, f"its type “{one_line(str(dtype), 40)}” is unknown")
    begin, end = offsets
    if end - begin != math.prod(shape) * _ELEMENT_BYTES[dtype]:
        raise _malformed(path, name, "its shape and type do not fit the bytes it names")
    return SourceTensor(name, tuple(shape), dtype, path, start + begin, end - begin)


def _whole_numbers(value: Any) -> list[int] | None:
    """The value if it is a list of numbers from 0 to 2^63, as a reader in any language holds."""
    if not isinstance(value, list):
        return None
    if not all(type(item) is int and 0 <= item < 2**63 for item in value):
        return None
    return value


def _check_layout(path: Path, tensors: list[SourceTensor], start: int, size: int) -> None:
    """Every byte after the header belongs to exactly one tensor."""
    expected = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.nbytes)):
        if tensor.offset < expected:
            raise _malformed(path, tensor.name, "its bytes overlap another tensor's")
        if tensor.offset > expected:
            raise _malformed(path, tensor.name, "bytes before it belong to no tensor")
        expected += tensor.nbytes
        if expected > size:
            raise _malformed(path, tensor.name, "its bytes lie beyond the end of the file")
    if expected != size:
        raise BadInputError(f"{path.name} has {size - expected} bytes that belong to no tensor.")


def _malformed(path: Path, name: str, why: str) -> BadInputError:
    return BadInputError(f"{path.name} is damaged or forged: of {one_line(name, 80)}, {why}.")
