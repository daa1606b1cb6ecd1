"""The quantising side of the ggml library inside llama-cpp-python, by ctypes.

`graph` takes the library from here to watch what llama.cpp computes, and `opened` asks llama.cpp
itself; no other file of the converter touches ctypes.

ggml checks its arguments with assertions that end the whole process. Whatever could trip one is
therefore refused here, in words, before the call.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Kind

from app.errors import BadInputError, UsageError

FLOATS = frozenset({Kind.F32, Kind.F16, Kind.BF16})
"""The kinds that hold one number at a time, with no blocks and no scales."""

ENCODABLE = FLOATS | {
    Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q5_1, Kind.Q8_0,
    Kind.Q2_K, Kind.Q3_K, Kind.Q4_K, Kind.Q5_K, Kind.Q6_K,
    Kind.IQ1_S, Kind.IQ1_M, Kind.IQ2_XXS, Kind.IQ2_XS, Kind.IQ2_S,
    Kind.IQ3_XXS, Kind.IQ3_S, Kind.IQ4_NL, Kind.IQ4_XS,
}  # fmt: skip
"""The kinds that ggml_quantize_chunk makes (ggml.c); it takes any other for a defect and aborts."""


@functools.cache
def base_library() -> ctypes.CDLL:
    """ggml-base, loaded at first use: the import takes a tenth of a second.

    Its functions have the signatures that whoever calls them gives them.
    """
    from llama_cpp._ctypes_extensions import load_shared_library
    from llama_cpp._ggml import libggml_base_path

    library: ctypes.CDLL = load_shared_library("ggml-base", libggml_base_path)
    return library


@functools.cache
def _library() -> ctypes.CDLL:
    """ggml-base with the signatures of what quantises."""
    library = base_library()
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = (
        ctypes.c_int,  # type
        ctypes.c_void_p,  # src: float32
        ctypes.c_void_p,  # dst
        ctypes.c_int64,  # start: elements before the first row of the chunk
        ctypes.c_int64,  # nrows
        ctypes.c_int64,  # n_per_row
        ctypes.c_void_p,  # imatrix: float32 (n_per_row,) or NULL
    )
    library.ggml_quantize_requires_imatrix.restype = ctypes.c_bool
    library.ggml_quantize_requires_imatrix.argtypes = (ctypes.c_int,)
    library.ggml_validate_row_data.restype = ctypes.c_bool
    library.ggml_validate_row_data.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
    library.ggml_row_size.restype = ctypes.c_size_t
    library.ggml_row_size.argtypes = (ctypes.c_int, ctypes.c_int64)
    return library


def row_size(kind: Kind, row: int) -> int:
    """Bytes that a row of `row` numbers takes in `kind`.

    Raises:
        BadInputError: the row is not a whole number of the kind's blocks.
    """
    block = GGML_QUANT_SIZES[kind][0]
    if row % block:
        raise BadInputError(
            f"A row of {row} numbers cannot be stored as {kind.name}, which takes them "
            f"{block} at a time; choose another file type."
        )
    size: int = _library().ggml_row_size(kind, row)
    return size


def requires_imatrix(kind: Kind) -> bool:
    """Whether the library refuses to make `kind` without an importance matrix."""
    needed: bool = _library().ggml_quantize_requires_imatrix(kind)
    return needed


def check_encodable(kind: Kind, imatrix: npt.NDArray[np.float32] | None) -> None:
    """Refuse what would end the process inside ggml_quantize_chunk.

    Raises:
        UsageError: the library makes no tensors of this kind, or not without an importance matrix.
    """
    if kind not in ENCODABLE:
        raise UsageError(f"The llama.cpp library cannot make tensors of type {kind.name}.")
    if imatrix is None and requires_imatrix(kind):
        raise UsageError(
            f"{kind.name} needs an importance matrix; give one or choose a larger type."
        )


def quantise_rows(
    kind: Kind,
    rows: npt.NDArray[np.float32],
    out: npt.NDArray[np.uint8],
    span: slice,
    imatrix: npt.NDArray[np.float32] | None,
) -> bool:
    """Encode `rows[span]` into `out[span]`; ctypes lets other threads run meanwhile.

    Args:
        kind: one that passed `check_encodable` with this imatrix.
        rows: C-contiguous float32 (n, row), all finite.
        out: C-contiguous uint8 (n, row_size(kind, row)).
        span: the rows to encode, start and stop given.
        imatrix: C-contiguous float32 (row,), the weight of each column, or None.

    Returns:
        Whether the library's own check finds the result sound; a scale that overflowed is not.
    """
    library, row = _library(), rows.shape[1]
    weights = None if imatrix is None else imatrix.ctypes.data
    start, count = span.start, span.stop - span.start
    written = library.ggml_quantize_chunk(
        kind, rows.ctypes.data, out.ctypes.data, start * row, count, row, weights
    )
    sound: bool = library.ggml_validate_row_data(kind, out[start:].ctypes.data, written)
    return sound
