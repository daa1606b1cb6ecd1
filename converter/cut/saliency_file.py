"""Saliency as a file: llama.cpp's importance matrix in GGUF, with more tensors beside.

`llama-quantize` reads the names that end in `.in_sum2` and `.counts` and passes over the rest
(llama.cpp, common/imatrix-loader.cpp), so one file serves both.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFValueType
from numpy.typing import NDArray

from app.engine.header import Header, TensorInfo, parse_header
from app.errors import BadInputError
from app.sanitise import one_line
from converter import metadata
from converter.cut.saliency import LayerSaliency, Saliency
from converter.cut.shelf import Place, Shelf
from converter.files import whole_file
from converter.header import Entry, pack_header, padding
from converter.metadata import Field
from converter.texts import TextSource

VERSION = 1
"""Of what Bedside adds to the importance matrix."""
_OWN = "bedside.saliency"
_SUMS, _COUNTS, _COVARIANCE = ".in_sum2", ".counts", ".in_covariance"
_TURN, _STREAM, _SPANS = "turn", "stream", "spans"
_PARTS = (
    "neuron_abs", "neuron_sum", "neuron_square", "output_abs", "output_sum", "output_square",
)  # fmt: skip
_HASH = re.compile(r"[0-9a-f]{64}")
_MOST_LAYERS = 1024


def write_saliency(path: Path, saliency: Saliency) -> None:
    """Write the measurement, whole or not at all; a file that stands there is replaced."""
    tensors = dict(_tensors(saliency))
    entries = [Entry(name, values.shape, _kind(values)) for name, values in tensors.items()]
    for name in saliency.covariances:
        side = saliency.input_squares[name].size
        entries.append(Entry(name + _COVARIANCE, (side, side), Kind.F32))
    with whole_file(path) as file:
        file.write(pack_header(_fields(saliency), entries))
        for values in chain(tensors.values(), saliency.covariances.values()):
            file.write(np.ascontiguousarray(values).data)
            file.write(padding(values.nbytes))


def read_saliency(path: Path) -> Saliency:
    """The measurement in a file.

    Raises:
        BadInputError: the file is missing, is no measurement, or holds what none can.
    """
    name = one_line(path.name)
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BadInputError(f"{name} is no saliency file; {_AGAIN}.")
            file.seek(0)
            header, _ = parse_header(file, os.fstat(file.fileno()).st_size)
            return _Reader(file, header, name).read()
    except (OSError, ValueError) as error:
        raise BadInputError(f"The saliency file {one_line(str(path))} cannot be read.") from error


_AGAIN = "make one with `bedside-convert saliency`"


def _kind(values: NDArray[Any]) -> Kind:
    return Kind.F64 if values.dtype == np.float64 else Kind.F32


def _fields(saliency: Saliency) -> list[Field]:
    text = GGUFValueType.STRING
    sources = saliency.sources
    return [
        metadata.text("general.type", "imatrix"),
        metadata.array("imatrix.datasets", [Path(item.path).name for item in sources], text),
        metadata.uint32("imatrix.chunk_count", saliency.tokens // max(saliency.chunk, 1)),
        metadata.uint32("imatrix.chunk_size", saliency.chunk),
        metadata.uint32(f"{_OWN}.version", VERSION),
        metadata.text(f"{_OWN}.model_sha256", saliency.model_sha256),
        metadata.array(f"{_OWN}.text.paths", [item.path for item in sources], text),
        metadata.array(f"{_OWN}.text.sha256", [item.sha256 for item in sources], text),
        metadata.array(f"{_OWN}.text.fields", [item.field or "" for item in sources], text),
        metadata.uint32(f"{_OWN}.tokens", saliency.tokens),
        metadata.uint32(f"{_OWN}.layers", len(saliency.layers)),
        Field(f"{_OWN}.domain_share", saliency.domain_share, GGUFValueType.FLOAT64),
        metadata.int32(f"{_OWN}.seed", saliency.seed),
        metadata.flag(f"{_OWN}.complete", saliency.complete),
    ]


def _tensors(saliency: Saliency) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, sums in saliency.input_squares.items():
        yield name + _SUMS, sums.reshape(1, -1)
        yield name + _COUNTS, np.array([[saliency.tokens]], dtype=np.float32)
    for number, layer in enumerate(saliency.layers):
        for part in _PARTS:
            yield f"blk.{number}.{part}", getattr(layer, part)
    yield _TURN, np.array([layer.turn for layer in saliency.layers])
    yield _STREAM, np.array([layer.stream for layer in saliency.layers])
    depth = len(saliency.layers) + 1
    spans = np.zeros((depth, depth))
    for (first, length), angle in saliency.spans.items():
        spans[first, first + length] = angle
    yield _SPANS, spans


class _Reader:
    """One open file whose header is sound; what its values say is checked here."""

    def __init__(self, file: BinaryIO, header: Header, name: str) -> None:
        self._file = file
        self._header = header
        self._name = name
        self._tensors: Mapping[str, TensorInfo] = {item.name: item for item in header.tensors}

    def read(self) -> Saliency:
        told = self._header.metadata
        if told.get("general.type") != "imatrix" or told.get(f"{_OWN}.version") != VERSION:
            raise BadInputError(
                f"{self._name} holds no saliency of this version; it may be a model, or an "
                f"importance matrix made elsewhere. To cut, {_AGAIN}."
            )
        tokens, count = self._number("tokens"), self._number("layers")
        if not 0 < tokens < 2**32 or not 0 < count <= _MOST_LAYERS:
            raise self._damaged("its counts")
        return Saliency(
            model_sha256=self._hash(told.get(f"{_OWN}.model_sha256")),
            sources=self._sources(),
            tokens=tokens,
            chunk=int(str(told.get("imatrix.chunk_size", 0))),
            layers=self._layers(count),
            input_squares=self._named(_SUMS),
            spans=self._spans(count),
            covariances=self._covariances(),
            domain_share=self._share(),
            seed=self._number("seed"),
            complete=told.get(f"{_OWN}.complete") is True,
        )

    def _number(self, key: str) -> int:
        value = self._header.metadata.get(f"{_OWN}.{key}")
        if type(value) is not int:
            raise self._damaged(key)
        return value

    def _share(self) -> float:
        value = self._header.metadata.get(f"{_OWN}.domain_share")
        if not isinstance(value, float) or not 0 <= value <= 1:
            raise self._damaged("its share of domain text")
        return value

    def _hash(self, value: object) -> str:
        if not isinstance(value, str) or not _HASH.fullmatch(value):
            raise self._damaged("a hash")
        return value

    def _sources(self) -> tuple[TextSource, ...]:
        lists = [self._header.metadata.get(f"{_OWN}.text.{key}", ()) for key in _TEXT_KEYS]
        if not all(isinstance(item, tuple) for item in lists) or len({*map(_length, lists)}) != 1:
            raise self._damaged("its texts")
        columns = [item for item in lists if isinstance(item, tuple)]
        return tuple(
            TextSource(str(path), self._hash(digest), str(column) or None)
            for path, digest, column in zip(*columns, strict=True)
        )

    def _layers(self, count: int) -> tuple[LayerSaliency, ...]:
        turns, streams = self._values(_TURN, 1), self._values(_STREAM, 1)
        if turns.shape != (count,) or streams.shape != (count,) or (streams < 0).any():
            raise self._damaged("the residual stream of its layers")
        return tuple(
            self._layer(number, float(turns[number]), float(streams[number]))
            for number in range(count)
        )

    def _layer(self, number: int, turn: float, stream: float) -> LayerSaliency:
        parts = {
            part: self._values(f"blk.{number}.{part}", 1 + part.startswith("output"))
            for part in _PARTS
        }
        neurons = {parts[part].shape for part in _PARTS[:3]}
        outputs = {parts[part].shape for part in _PARTS[3:]}
        if len(neurons) != 1 or len(outputs) != 1:
            raise self._damaged(f"the sums of layer {number}")
        return LayerSaliency(turn=turn, stream=stream, **parts)

    def _spans(self, count: int) -> dict[tuple[int, int], float]:
        angles = self._values(_SPANS, 2)
        if angles.shape != (count + 1, count + 1):
            raise self._damaged("the angles between its layers")
        return {
            (first, last - first): float(angles[first, last])
            for first in range(count)
            for last in range(first + 1, count + 1)
        }

    def _named(self, ending: str) -> dict[str, NDArray[np.float32]]:
        return {
            name.removesuffix(ending): self._floats(name).reshape(-1)
            for name in self._tensors
            if name.endswith(ending)
        }

    def _covariances(self) -> Shelf:
        """Left in the file until they are asked for."""
        places = {}
        for name, tensor in self._tensors.items():
            if not name.endswith(_COVARIANCE):
                continue
            rows, *others = tensor.shape
            if others != [rows] or tensor.type.name != "F32":
                raise self._damaged(f"the covariance of {one_line(name, 80)}")
            place = Place(self._header.data_offset + tensor.offset, rows)
            places[name.removesuffix(_COVARIANCE)] = place
        return Shelf(os.dup(self._file.fileno()), places)

    def _values(self, name: str, sides: int) -> NDArray[np.float64]:
        values = self._array(name, "F64", "<f8")
        if values.ndim != sides:
            raise self._damaged(one_line(name, 80))
        return values.astype(np.float64)

    def _floats(self, name: str) -> NDArray[np.float32]:
        return self._array(name, "F32", "<f4").astype(np.float32)

    def _array(self, name: str, kind: str, dtype: str) -> NDArray[Any]:
        tensor = self._tensors.get(name)
        if tensor is None or tensor.type.name != kind:
            raise self._damaged(one_line(name, 80))
        self._file.seek(self._header.data_offset + tensor.offset)
        data = self._file.read(tensor.bytes)
        shape = tensor.shape[::-1]
        if len(data) != math.prod(shape) * np.dtype(dtype).itemsize:
            raise self._damaged(one_line(name, 80))
        values: NDArray[Any] = np.frombuffer(data, dtype).reshape(shape)
        if not np.isfinite(values).all():
            raise self._damaged(one_line(name, 80))
        return values

    def _damaged(self, what: str) -> BadInputError:
        return BadInputError(f"{self._name} is damaged at {what}; {_AGAIN}.")


_TEXT_KEYS = ("paths", "sha256", "fields")


def _length(value: object) -> int:
    return len(value) if isinstance(value, tuple) else -1
