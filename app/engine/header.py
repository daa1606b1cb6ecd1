"""The structure of a GGUF file: keys and values, tensors and where their data lies.

Everything is checked against the file's size and against sense before it is used, because the
file comes from anywhere and llama.cpp's own reader has been led astray by most of these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

from app.engine.ggml_types import GGML_TYPES, REMOVED_TYPES, GgmlType
from app.engine.header_reader import (
    INT64,
    MAX_KEY,
    UINT32,
    UINT64,
    HeaderReader,
    Value,
    Whole,
    shown,
)
from app.errors import BadInputError

VERSIONS = (2, 3)
"""Versions that llama.cpp reads; version 1 had another layout and has died out."""
MAX_PAIRS = 65536
"""Keys. Models have some dozens; the bound keeps a hostile header from costing time."""
MAX_TENSORS = 65536
"""Tensors. The largest mixture-of-experts models have about 2,000."""
MAX_NAME = 63
"""Bytes of a tensor's name: GGML_MAX_NAME less the ending NUL."""
MAX_DIMS = 4
MAX_ALIGNMENT = 65536
"""Bytes. Files use 32, seldom 64 or 4096; a padding of 1 GiB hangs llama.cpp (#26318)."""
DEFAULT_ALIGNMENT = 32
_INT64_MAX = 2**63 - 1
_AGAIN = "The file is damaged; get it again from its source."


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor of the file."""

    name: str
    shape: tuple[int, ...]
    """In ggml's order: shape[0] is the length of a row, shape[1] the number of rows. A checkpoint's
    (out, in) matrix stands here as (in, out)."""
    type_id: int
    offset: int
    """Bytes from the start of the data section."""
    bytes: int

    @property
    def type(self) -> GgmlType:
        """Block size and name of the elements."""
        return GGML_TYPES[self.type_id]

    @property
    def elements(self) -> int:
        """Number of weights."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """All of a GGUF file but the weights themselves."""

    version: int
    metadata: Mapping[str, Value]
    kinds: Mapping[str, str]
    """GGUF type of each key's value (`uint32`, `string`, `string[]`, …)."""
    tensors: tuple[TensorInfo, ...]
    alignment: int
    data_offset: int
    """Bytes from the start of the file to the data section."""
    file_bytes: int

    @property
    def architecture(self) -> str:
        """`general.architecture`, or nothing where the file does not say."""
        name = self.metadata.get("general.architecture", "")
        return name if isinstance(name, str) else ""

    def setting(self, name: str) -> Value | None:
        """The model's own setting `name` (`block_count`, …), without the architecture's prefix."""
        return self.metadata.get(f"{self.architecture}.{name}")

    def tensor(self, name: str) -> TensorInfo | None:
        """The tensor of that name."""
        return next((tensor for tensor in self.tensors if tensor.name == name), None)


def parse_header(
    file: BinaryIO, size: int, whole: frozenset[str] = frozenset()
) -> tuple[Header, dict[str, Whole]]:
    """Reads the header of an open file of `size` bytes whose first four bytes were `GGUF`.

    Args:
        file: at its start.
        size: of the file; every count and offset is held against it.
        whole: keys whose arrays the caller wants complete, however long.

    Returns:
        The header, and the complete arrays by key.

    Raises:
        BadInputError: with the reason in one sentence.
    """
    reader = HeaderReader(file, size)
    reader.take(4, "the magic number")
    version = _version(reader)
    tensor_count = _count(reader, "tensors", MAX_TENSORS, 4 + 8 + 8 + 4 + 8)
    pair_count = _count(reader, "keys", MAX_PAIRS, 8 + 4 + 1)
    metadata, kinds, arrays = _pairs(reader, pair_count, whole)
    alignment = _alignment(metadata, kinds)
    tensors = _tensors(reader, tensor_count)
    data_offset = _padded(reader.position, alignment) if tensors else reader.position
    _check_layout(tensors, alignment, data_offset, size)
    header = Header(version, metadata, kinds, tensors, alignment, data_offset, size)
    return header, arrays


def _version(reader: HeaderReader) -> int:
    version = reader.integer(UINT32, "the version number")
    if version in VERSIONS:
        return version
    if version and version & 0xFFFF == 0:
        raise BadInputError(
            "The model file is written for big-endian computers; this one needs the "
            "little-endian file of the same model."
        )
    if version > max(VERSIONS):
        raise BadInputError(
            f"The model file has GGUF version {version}, which is newer than this Bedside reads "
            f"({max(VERSIONS)}). Update Bedside or get the file in version {max(VERSIONS)}."
        )
    raise BadInputError(
        f"The model file has GGUF version {version}, which llama.cpp no longer reads. "
        "Get a newer file of the same model."
    )


def _count(reader: HeaderReader, what: str, most: int, smallest: int) -> int:
    count = reader.integer(INT64, f"the number of {what}")
    if not 0 <= count <= most:
        raise BadInputError(
            f"The model file says that it has {count} {what}; between 0 and {most} make sense. "
            + _AGAIN
        )
    reader.require(count * smallest, f"its {count} {what}")
    return count


def _pairs(
    reader: HeaderReader, count: int, whole: frozenset[str]
) -> tuple[dict[str, Value], dict[str, str], dict[str, Whole]]:
    metadata: dict[str, Value] = {}
    kinds: dict[str, str] = {}
    arrays: dict[str, Whole] = {}
    for _ in range(count):
        key = _name(reader.string("a key", MAX_KEY), "key")
        if key in metadata:
            raise BadInputError(f"The model file has the key {shown(key)} twice. {_AGAIN}")
        pair = reader.value(key, key in whole)
        metadata[key], kinds[key] = pair.value, pair.kind
        if pair.every is not None:
            arrays[key] = pair.every
    return metadata, kinds, arrays


def _name(raw: bytes, what: str) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"The model file has the {what} {shown(raw)}, which is no text. {_AGAIN}"
        ) from error
    if not name:
        raise BadInputError(f"The model file has a {what} without a name. {_AGAIN}")
    if not name.isprintable():
        raise BadInputError(
            f"The model file has the {what} {shown(name)} with control characters in it. {_AGAIN}"
        )
    return name


def _alignment(metadata: Mapping[str, Value], kinds: Mapping[str, str]) -> int:
    key = "general.alignment"
    value = metadata.get(key, DEFAULT_ALIGNMENT)
    if not isinstance(value, int) or kinds.get(key, "uint32") != "uint32":
        raise BadInputError(
            f"The model file gives its alignment as {kinds[key]}; it must be uint32. {_AGAIN}"
        )
    if value < 1 or value & (value - 1) or value > MAX_ALIGNMENT:
        raise BadInputError(
            f"The model file has an alignment of {value} bytes; it must be a power of two up to "
            f"{MAX_ALIGNMENT}. {_AGAIN}"
        )
    return value


def _tensors(reader: HeaderReader, count: int) -> tuple[TensorInfo, ...]:
    tensors: dict[str, TensorInfo] = {}
    for _ in range(count):
        tensor = _tensor(reader)
        if tensor.name in tensors:
            raise BadInputError(
                f"The model file has the tensor {shown(tensor.name)} twice. {_AGAIN}"
            )
        tensors[tensor.name] = tensor
    return tuple(tensors.values())


def _tensor(reader: HeaderReader) -> TensorInfo:
    name = _name(reader.string("the name of a tensor", MAX_NAME), "tensor")
    dims = reader.integer(UINT32, f"the number of dimensions of {shown(name)}")
    if not 1 <= dims <= MAX_DIMS:
        raise BadInputError(
            f"The tensor {shown(name)} of the model file has {dims} dimensions; 1 to {MAX_DIMS} "
            f"are possible. {_AGAIN}"
        )
    shape = tuple(reader.integer(INT64, f"the shape of {shown(name)}") for _ in range(dims))
    if min(shape) < 1:
        raise BadInputError(
            f"The tensor {shown(name)} of the model file has the shape {list(shape)}, with an "
            f"empty or negative side. {_AGAIN}"
        )
    type_id = reader.integer(UINT32, f"the type of {shown(name)}")
    offset = reader.integer(UINT64, f"the offset of {shown(name)}")
    return TensorInfo(name, shape, type_id, offset, _tensor_bytes(name, shape, type_id))


def _tensor_bytes(name: str, shape: tuple[int, ...], type_id: int) -> int:
    kind = GGML_TYPES.get(type_id)
    if type_id in REMOVED_TYPES:
        raise BadInputError(
            f"The tensor {shown(name)} has the type {type_id}, which llama.cpp has given up. "
            "Get a newer file of the same model."
        )
    if kind is None or not kind.stored:
        raise BadInputError(
            f"The tensor {shown(name)} has the type {type_id}, which this Bedside does not know. "
            "The file is damaged, or made for a newer llama.cpp."
        )
    if shape[0] % kind.block:
        raise BadInputError(
            f"The rows of the tensor {shown(name)} have {shape[0]} elements, no multiple of the "
            f"{kind.block} that {kind.name} needs. {_AGAIN}"
        )
    if prod(shape) > _INT64_MAX:
        raise BadInputError(
            f"The tensor {shown(name)} has the shape {list(shape)}: more elements than can be "
            f"counted. {_AGAIN}"
        )
    size = prod(shape) // kind.block * kind.size
    if size > _INT64_MAX:
        raise BadInputError(
            f"The tensor {shown(name)} has the shape {list(shape)}: more bytes than can be "
            f"counted. {_AGAIN}"
        )
    return size


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _check_layout(
    tensors: tuple[TensorInfo, ...], alignment: int, data_offset: int, size: int
) -> None:
    """Tensors must follow each other without gap or overlap, as llama.cpp demands it."""
    expected = 0
    for tensor in tensors:
        if tensor.offset % alignment:
            raise BadInputError(
                f"The data of {shown(tensor.name)} starts at byte {tensor.offset}, no multiple of "
                f"the alignment {alignment}. {_AGAIN}"
            )
        if tensor.offset != expected:
            fault = "overlaps the tensor before it" if tensor.offset < expected else "leaves a gap"
            raise BadInputError(
                f"The data of {shown(tensor.name)} {fault}: it starts at byte {tensor.offset} and "
                f"should start at {expected}. {_AGAIN}"
            )
        if tensor.offset + tensor.bytes > size - data_offset:
            raise BadInputError(
                f"The data of {shown(tensor.name)} goes past the end of the model file: the file "
                f"has {size} bytes and should have at least "
                f"{data_offset + tensor.offset + tensor.bytes}. It was not fully downloaded or "
                "copied; get it again."
            )
        expected = _padded(tensor.offset + tensor.bytes, alignment)
