"""A GGUF file as a source: its keys whole, its tensors read lazily, quantised ones on request."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader, GGUFValueType
from gguf.quants import dequantize

from app.engine.header import Header, TensorInfo
from app.engine.modelfile import read_header
from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.tensors import Raw, SourceTensor, SourceType
from converter.metadata import Field

_FLOATS = {kind.value for kind in SourceType}


@dataclass(frozen=True, slots=True)
class Quantised:
    """A quantised tensor of a GGUF file, turned to float32 row by row."""

    name: str
    shape: tuple[int, ...]
    kind: Kind
    path: Path
    offset: int
    """Of the first byte, from the file's start."""
    nbytes: int

    @property
    def origin(self) -> str:
        """What the source calls it."""
        return self.name

    @property
    def elements(self) -> int:
        """How many weights it holds."""
        return math.prod(self.shape)

    @property
    def type(self) -> SourceType:
        """What `rows` gives."""
        return SourceType.F32

    def rows(self, start: int, stop: int) -> Raw:
        """Rows as the quantised numbers stand for; a vector is a single row."""
        count = math.prod(self.shape[:-1])
        size = self.nbytes // count
        stored = np.memmap(self.path, np.uint8, "r", self.offset, (count, size))
        return np.asarray(dequantize(stored[start:stop], self.kind), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A model in a GGUF file."""

    path: Path
    header: Header
    fields: tuple[Field, ...]
    """All of its keys, with whole lists."""
    floats: tuple[SourceTensor, ...]
    quantised: tuple[Quantised, ...]

    @property
    def kinds(self) -> str:
        """The types that its quantised tensors are stored in."""
        return ", ".join(sorted({tensor.kind.name for tensor in self.quantised}))


def open_gguf(path: Path) -> GgufFile:
    """Read what the file says about itself; no weight is read.

    Raises:
        BadInputError: It is no sound GGUF file, or has tensors of a type that is no weight's.
    """
    header = read_header(path)
    floats, quantised = [], []
    for tensor in header.tensors:
        offset, shape = header.data_offset + tensor.offset, tensor.shape[::-1]
        if tensor.type.name in _FLOATS:
            floats.append(
                SourceTensor(tensor.name, shape, tensor.type.name, path, offset, tensor.bytes)
            )
        else:
            kind = _kind(tensor)
            quantised.append(Quantised(tensor.name, shape, kind, path, offset, tensor.bytes))
    return GgufFile(path, header, tuple(_fields(path)), tuple(floats), tuple(quantised))


def _kind(tensor: TensorInfo) -> Kind:
    if tensor.type.block > 1 and tensor.type.name in Kind.__members__:
        return Kind[tensor.type.name]
    raise BadInputError(
        f"The tensor {one_line(tensor.name, 80)} is stored as {tensor.type.name}, which no weight "
        "is; use another file."
    )


def _fields(path: Path) -> Iterator[Field]:
    """The keys as gguf-py reads them; the strict check has seen the header before."""
    for key, field in GGUFReader(path).fields.items():
        if key.startswith("GGUF."):  # its own account of version and counts
            continue
        kind = field.types[0]
        element = field.types[-1] if kind is GGUFValueType.ARRAY else None
        yield Field(key, field.contents(), kind, element)
