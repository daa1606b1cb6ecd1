"""An importance matrix from a file: llama.cpp's GGUF form, which `saliency` writes as well.

Per weight it holds `NAME.in_sum2`, the sums of the squares of what the weight multiplied, and
`NAME.counts`, over how many tokens (llama.cpp, tools/imatrix/imatrix.cpp).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.engine.header import Header, TensorInfo, parse_header
from app.errors import BadInputError
from app.sanitise import one_line

_SUMS, _COUNTS = ".in_sum2", ".counts"
_TYPE = "imatrix"
_TEXTS = "bedside.saliency.text.sha256"
_AGAIN = "measure it again with `bedside-convert saliency`"


def read_imatrix(path: Path) -> dict[str, NDArray[np.float32]]:
    """Name of a weight to the mean squares of its inputs, float32 (row,), as llama-quantize reads.

    Divided in float32 as it divides them; where nothing was counted, every column weighs 1.

    Raises:
        BadInputError: the file is missing, is no importance matrix, or holds what none can.
    """
    with _opened(path) as file:
        return _means_of_all(file, _header(file, one_line(path.name)), one_line(path.name))


def measured_on(path: Path) -> tuple[str, ...]:
    """SHA-256 of the texts that it was measured on, which only `saliency` writes into its files.

    Raises:
        BadInputError: as `read_imatrix` says.
    """
    with _opened(path) as file:
        found = _header(file, one_line(path.name)).metadata.get(_TEXTS)
    return tuple(map(str, found)) if isinstance(found, tuple) else ()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise BadInputError(
            f"The importance matrix {one_line(str(path))} cannot be read: {error.strerror}."
        ) from error


def _header(file: BinaryIO, name: str) -> Header:
    size = os.fstat(file.fileno()).st_size
    if file.read(4) != b"GGUF":
        raise BadInputError(
            f"{name} is no importance matrix in GGUF form; {_AGAIN}, or with a newer llama-imatrix."
        )
    file.seek(0)
    header, _ = parse_header(file, size)
    if header.metadata.get("general.type") != _TYPE:
        raise BadInputError(f"{name} is a GGUF file, but no importance matrix; {_AGAIN}.")
    return header


def _means_of_all(file: BinaryIO, header: Header, name: str) -> dict[str, NDArray[np.float32]]:
    tensors = {tensor.name: tensor for tensor in header.tensors}
    found = {
        key.removesuffix(_SUMS): _means(file, header.data_offset, tensor, tensors, name)
        for key, tensor in tensors.items()
        if key.endswith(_SUMS)
    }
    if not found:
        raise BadInputError(f"{name} holds no importance of any weight; {_AGAIN}.")
    return found


def _means(
    file: BinaryIO, start: int, sums: TensorInfo, tensors: dict[str, TensorInfo], name: str
) -> NDArray[np.float32]:
    weight = sums.name.removesuffix(_SUMS)
    counts = tensors.get(weight + _COUNTS)
    if counts is None or counts.elements != 1 or {sums.type.name, counts.type.name} != {"F32"}:
        raise BadInputError(
            f"{name} does not say over how many tokens {one_line(weight, 80)} was measured, or "
            f"holds several experts' sums; {_AGAIN}."
        )
    values, count = _floats(file, start, sums), np.rint(_floats(file, start, counts)[0])
    if not np.isfinite(values).all() or not 0 <= count < 2**63 or (values < 0).any():
        raise BadInputError(
            f"{name} holds values for {one_line(weight, 80)} that are no sums of squares; {_AGAIN}."
        )
    return values / count if count > 0 else np.ones_like(values)


def _floats(file: BinaryIO, start: int, tensor: TensorInfo) -> NDArray[np.float32]:
    file.seek(start + tensor.offset)
    return np.frombuffer(file.read(tensor.bytes), "<f4").astype(np.float32)
