"""From a checkpoint to a GGUF file, in pieces: read, reorder, quantise, write.

The file holds what `convert_hf_to_gguf.py --outtype auto` and then the library's own quantiser
make, bit for bit, but no 16-bit file stands between: each piece goes the whole way at once, on
as many threads as there are, and memory holds a few pieces.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGML_QUANT_VERSION
from gguf import GGMLQuantizationType as Kind
from numpy.typing import NDArray

from app.errors import BadInputError
from converter import metadata
from converter.architecture import Weight
from converter.checkpoint import Checkpoint, SourceType, to_float32
from converter.files import check_not_read, check_output, check_space, whole_file
from converter.header import Entry, pack_header, padding
from converter.material import IMPORTANCE, Material, gather
from converter.metadata import Field
from converter.progress import Advance
from converter.quantise import (
    FileType,
    Override,
    TensorSpec,
    check_importance,
    encode,
    plan_types,
)

Imatrix = Mapping[str, NDArray[np.float32]]
"""GGUF name of a matrix to the mean square of each number that it multiplies, (row,)."""

_PIECE = 1 << 20
"""Weights in a piece: some megabytes on their way, and enough work to outweigh handing it on."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All of the file but its weights: what will be written, decided before anything is."""

    file_type: FileType
    between: SourceType
    """What `--outtype auto` stores the checkpoint in, and the quantiser therefore reads."""
    fields: tuple[Field, ...]
    weights: tuple[Weight, ...]
    entries: tuple[Entry, ...]
    """The table of tensors, one for each weight, in the order of the file."""
    sources: tuple[Path, ...]
    """The files that the weights are read from."""
    notes: tuple[str, ...]
    """Sentences a person should read about the vocabulary."""
    imatrix: Imatrix
    """How much the columns of matrices weigh; empty when nothing was measured."""

    @property
    def parameters(self) -> int:
        """How many weights the file holds."""
        return sum(entry.elements for entry in self.entries)

    @property
    def fallbacks(self) -> tuple[Entry, ...]:
        """The tensors whose rows the file type cannot hold, so that another stands in."""
        return tuple(
            entry
            for entry in self.entries
            if entry.shape[-1] % self.block and entry.kind is not Kind.F32
        )

    @property
    def block(self) -> int:
        """Of how many weights the file type makes a block; rows must be a multiple of it."""
        return GGML_QUANT_SIZES[self.file_type.base][0]


def lay_out(
    source: Checkpoint | Material,
    file_type: FileType,
    *,
    imatrix: Imatrix | None = None,
    overrides: Sequence[Override] = (),
) -> Layout:
    """Decide the whole file.

    Args:
        source: what is to be written.
        file_type: the mixture of tensor types.
        imatrix: measured on this very model; it steers the rounding, and some choices of type.
        overrides: exceptions to the mixture, of which the first that fits a tensor counts.

    Raises:
        BadInputError: The checkpoint is of no known family, or not what it says it is, or the
            importance matrix is of another model.
        UsageError: A tensor would get a type that is of no use without an importance matrix.
    """
    material = source if isinstance(source, Material) else gather(source)
    model, between = material.model, material.between
    unquantised = [
        TensorSpec(weight.name, weight.shape, _kind_between(weight, file_type, between))
        for weight in model.weights
    ]
    kinds = plan_types(
        unquantised, model.facts, file_type, imatrix=bool(imatrix), overrides=overrides
    )
    if imatrix:
        _check_imatrix(imatrix, model.weights)
    check_importance(kinds, imatrix or {})
    weights = model.weights if file_type.is_float else tuple(sorted(model.weights, key=_order))
    fields = (
        *material.general,
        *model.fields,
        metadata.uint32("general.file_type", file_type.ftype),
        metadata.uint32("general.quantization_version", GGML_QUANT_VERSION),
        *material.vocabulary,
        *material.provenance,
        *_importance_fields(imatrix or {}, file_type),
    )
    return Layout(
        file_type=file_type,
        between=between,
        fields=fields,
        weights=weights,
        entries=tuple(Entry(weight.name, weight.shape, kinds[weight.name]) for weight in weights),
        sources=material.files,
        notes=material.notes,
        imatrix={} if imatrix is None else imatrix,
    )


def write(
    layout: Layout,
    out: Path,
    *,
    threads: int,
    force: bool = False,
    progress: Advance | None = None,
) -> int:
    """Write the file, whole or not at all, and return its size in bytes.

    Raises:
        UsageError: The output cannot be written there, or is a file of the checkpoint.
        ResourceError: The disk has not the room.
        BadInputError: A weight is not a number, or too large for the file type.
    """
    check_output(out, force=force)
    check_not_read(out, layout.sources)
    head = pack_header(layout.fields, layout.entries)
    size = len(head) + sum(entry.nbytes + len(padding(entry.nbytes)) for entry in layout.entries)
    check_space(out.parent, size)
    done = 0
    with whole_file(out) as file:
        file.write(head)
        for piece, data in _in_order(_pieces(layout), threads):
            file.write(data.data)
            if piece.is_last:
                file.write(padding(file.tell()))
            done += piece.weights
            if progress is not None:
                progress(done, layout.parameters)
    return size


def _kind_between(weight: Weight, file_type: FileType, between: SourceType) -> Kind:
    """The type in the unquantised file: vectors and norms stay float32, as the stock ones do."""
    if len(weight.shape) < 2 or weight.name.endswith("_norm.weight"):
        return Kind.F32
    return file_type.base if file_type.is_float else Kind[between.name]


def _check_imatrix(imatrix: Imatrix, weights: Sequence[Weight]) -> None:
    """See that the importance matrix tells of this model's matrices, and in their sizes."""
    known = [weight for weight in weights if weight.name in imatrix]
    for weight in known:
        if imatrix[weight.name].shape != weight.shape[-1:]:
            raise BadInputError(
                f"The importance matrix has {imatrix[weight.name].size} numbers for {weight.name}, "
                f"whose rows have {weight.shape[-1]}; it is of another model, so measure this one."
            )
    if not known:
        raise BadInputError(
            "The importance matrix tells of no tensor of this model; it is of another one, so "
            "measure this one."
        )


def _importance_fields(imatrix: Imatrix, file_type: FileType) -> Iterator[Field]:
    """By which importance the file was rounded: a hash over names and numbers."""
    if not imatrix or file_type.is_float:
        return
    digest = hashlib.sha256()
    for name in sorted(imatrix):
        digest.update(name.encode() + b"\0" + imatrix[name].astype("<f4").tobytes())
    yield metadata.text(IMPORTANCE, digest.hexdigest())


def _order(weight: Weight) -> tuple[int, str]:
    """The quantiser's order of tensors: those outside the layers, then layer after layer."""
    match = re.match(r"blk\.(\d+)\.", weight.name)
    return (int(match[1]) if match else -1), weight.name


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some rows of one tensor, and what is to become of them."""

    weight: Weight
    kind: Kind
    through: SourceType | None
    """The 16-bit type that the stock road rounds these weights to first."""
    start: int
    stop: int
    is_last: bool
    """Whether the tensor ends with it."""
    importance: NDArray[np.float32] | None
    """How much each column weighs, where it is known."""

    @property
    def weights(self) -> int:
        """How many weights it holds."""
        return (self.stop - self.start) * self.weight.shape[-1]

    def encode(self) -> NDArray[np.uint8]:
        """Its bytes in the file.

        Raises:
            BadInputError: A weight is not a number, or too large for the type; the tensor is named.
        """
        rows = to_float32(self.weight.rows(self.start, self.stop))
        try:
            if self.through is not None:
                rounded = encode(rows, Kind[self.through.name], threads=1)
                rows = to_float32(rounded.view(self.through.stored))
            return encode(rows, self.kind, threads=1, imatrix=self.importance)
        except BadInputError as error:
            raise BadInputError(f"{self.weight.origin}: {error}") from error


def _pieces(layout: Layout) -> Iterator[_Piece]:
    for weight, entry in zip(layout.weights, layout.entries, strict=True):
        before = _kind_between(weight, layout.file_type, layout.between)
        rounds = not layout.file_type.is_float and before is not Kind.F32
        through = layout.between if rounds and weight.type is not layout.between else None
        count = math.prod(entry.shape[:-1])
        step = max(1, _PIECE // entry.shape[-1])
        importance = layout.imatrix.get(weight.name)
        for start in range(0, count, step):
            stop = min(start + step, count)
            yield _Piece(weight, entry.kind, through, start, stop, stop == count, importance)


def _in_order(pieces: Iterable[_Piece], threads: int) -> Iterator[tuple[_Piece, NDArray[np.uint8]]]:
    """The pieces with their bytes, worked on side by side and handed on in their order.

    No more than a few wait at once: a slow disk holds the work up instead of filling memory.
    """
    waiting: deque[tuple[_Piece, Future[NDArray[np.uint8]]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for piece in pieces:
            waiting.append((piece, pool.submit(piece.encode)))
            if len(waiting) > 2 * threads:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
