"""The bytes of a tensor in the type that the mixture gives it: llama.cpp's own coder.

`llama_model_quantize` does the same from a file to a file. Doing it tensor by tensor spares the
16-bit file in between (16 GB for an 8B model) and gives the same bytes; tests compare them with
what the installed library makes. What is asked for is in `filetype`, which tensor becomes what in
`mixture`; both are handed on from here, so that quantising has one door.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind

from app.errors import BadInputError
from converter import ggml
from converter.checkpoint import check_numbers
from converter.filetype import FileType, Override
from converter.mixture import ModelFacts, TensorSpec, check_importance, plan_types

__all__ = [
    "FileType",
    "ModelFacts",
    "Override",
    "TensorSpec",
    "check_importance",
    "encode",
    "plan_types",
]

_CHUNK = 1 << 16
"""Numbers in one piece of work: long enough to hide Python, short enough to share out evenly."""


def encode(
    rows: npt.NDArray[np.float32],
    kind: Kind,
    *,
    threads: int,
    imatrix: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.uint8]:
    """The bytes of a tensor in `kind`, the same for any number of threads.

    Args:
        rows: float32 (n, row).
        kind: the type to make, as `plan_types` chose it.
        threads: how many pieces of work go on at once.
        imatrix: float32 (row,), how much each column weighs; None weighs them by size alone.

    Returns:
        uint8 (n, bytes of a row).

    Raises:
        UsageError: the library cannot make this kind, or not without an importance matrix.
        BadInputError: NaN or infinite weights, weights too large for the kind, or a row or
            importance matrix of the wrong length.
    """
    ggml.check_encodable(kind, imatrix)
    count, row = rows.shape
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    weights = None if imatrix is None else _checked_imatrix(imatrix, row)
    out = np.empty((count, ggml.row_size(kind, row)), dtype=np.uint8)
    step = max(1, _CHUNK // row)

    def work(start: int) -> None:
        span = slice(start, min(start + step, count))
        check_numbers(rows[span])
        if not ggml.quantise_rows(kind, rows, out, span, weights):
            raise BadInputError(
                f"The checkpoint holds weights too large for {kind.name}; "
                "convert it to BF16 or F32."
            )

    starts = range(0, count, step)
    if threads == 1:
        deque(map(work, starts), maxlen=0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            deque(pool.map(work, starts), maxlen=0)
    return out


def _checked_imatrix(imatrix: npt.NDArray[np.float32], row: int) -> npt.NDArray[np.float32]:
    if imatrix.shape != (row,) or not np.isfinite(imatrix).all():
        raise BadInputError(
            f"The importance matrix does not fit a row of {row} numbers, or holds values that are "
            "not numbers; make it again from this model."
        )
    return np.ascontiguousarray(imatrix, dtype=np.float32)
