"""Bytes are those of the installed library's own quantiser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader, dequantize
from numpy.typing import NDArray

from app.errors import BadInputError, UsageError
from converter.quantise import FileType, check_importance, encode, plan_types
from tests import llama
from tests.converter.sketches import Sketch


def _weights(rows: int, row: int) -> NDArray[np.float32]:
    return np.random.default_rng(rows).standard_normal((rows, row), np.float32)


@pytest.mark.parametrize("weighed", [False, True], ids=["blind", "weighed"])
@pytest.mark.parametrize("threads", [1, 3])
def test_bytes_are_the_librarys(threads: int, weighed: bool, tmp_path: Path) -> None:
    """Every mixture, with rows in whole blocks, in blocks of 32 and in none."""
    sketch = Sketch(layers=2, width=512, neurons=288, queries=100, tied=False, kind=Kind.F32)
    source = {one.name: one.data for one in GGUFReader(sketch.write(tmp_path / "in.gguf")).tensors}
    imatrix = sketch.importance() if weighed else {}
    for file_type in FileType:
        made = llama.quantise(
            tmp_path / "in.gguf", tmp_path / "out.gguf", file_type.ftype,
            imatrix=imatrix if weighed else None,
        )  # fmt: skip
        if not made:
            kinds = plan_types(sketch.tensors(), sketch.facts, file_type, imatrix=weighed)
            with pytest.raises(UsageError):
                check_importance(kinds, imatrix)
            continue
        for tensor in GGUFReader(tmp_path / "out.gguf").tensors:
            rows = source[tensor.name].reshape(-1, source[tensor.name].shape[-1])
            weights = imatrix.get(tensor.name)
            bytes_ = encode(rows, tensor.tensor_type, threads=threads, imatrix=weights)
            assert bytes_.tobytes() == tensor.data.tobytes(), (file_type, tensor.name)


def test_the_importance_matrix_reaches_the_bytes(tmp_path: Path) -> None:
    """The comparison above could pass with the matrix ignored on both sides."""
    sketch = Sketch(layers=1, kind=Kind.F32)
    sketch.write(tmp_path / "in.gguf")
    for name, imatrix in (("blind", None), ("weighed", sketch.importance())):
        assert llama.quantise(tmp_path / "in.gguf", tmp_path / name, 15, imatrix=imatrix)
    assert (tmp_path / "blind").read_bytes() != (tmp_path / "weighed").read_bytes()


@pytest.mark.parametrize("kind", [Kind.Q4_K, Kind.Q8_0, Kind.F16])
def test_the_pieces_of_a_large_tensor_join(kind: Kind) -> None:
    rows = _weights(1500, 256)
    whole = encode(rows, kind, threads=1)
    assert np.array_equal(whole, encode(rows, kind, threads=4))
    assert np.array_equal(whole[700:710], encode(rows[700:710], kind, threads=1))
    assert np.allclose(dequantize(whole, kind), rows, atol=0.5)


def test_floats_are_rounded_to_the_nearest() -> None:
    rows = np.array([[1 + 2**-9 + 2**-20, 65504, -(2**-25), 1e-40]], np.float32)
    assert encode(rows, Kind.F32, threads=1).tobytes() == rows.tobytes()
    assert encode(rows, Kind.F16, threads=1).tobytes() == rows.astype(np.float16).tobytes()
    bits = rows.view(np.uint32)
    nearest = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    assert encode(rows, Kind.BF16, threads=1).tobytes() == nearest.tobytes()


def test_rows_may_lie_anywhere_in_memory() -> None:
    rows = _weights(256, 256)
    turned = encode(rows.T, Kind.Q4_K, threads=1)
    assert np.array_equal(turned, encode(np.ascontiguousarray(rows.T), Kind.Q4_K, threads=1))


@pytest.mark.parametrize("kind", [Kind.Q4_K, Kind.IQ2_XXS])
def test_an_importance_matrix_lowers_the_error_where_it_weighs(kind: Kind) -> None:
    rows = _weights(64, 256)
    flat, steep = np.ones(256, np.float32), np.geomspace(1e-3, 1e3, 256, dtype=np.float32)

    def error(imatrix: NDArray[np.float32]) -> float:
        made = dequantize(encode(rows, kind, threads=2, imatrix=imatrix), kind)
        return float((((made - rows) ** 2) * steep).sum())

    assert error(steep) < 0.99 * error(flat)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [Kind.F32, Kind.BF16, Kind.Q4_K, Kind.Q8_0])
def test_weights_that_are_no_numbers_are_refused(bad: float, kind: Kind) -> None:
    rows = _weights(600, 256)
    rows[599, 200] = bad
    with pytest.raises(BadInputError, match="not numbers"):
        encode(rows, kind, threads=2)


def test_weights_too_large_for_the_type_are_refused() -> None:
    with pytest.raises(BadInputError, match="too large for F16"):
        encode(np.full((1, 32), 1e5, np.float32), Kind.F16, threads=1)


@pytest.mark.parametrize("kind", [Kind.IQ2_XXS, Kind.IQ2_XS, Kind.IQ1_S])
def test_kinds_that_need_an_importance_matrix_are_refused_without(kind: Kind) -> None:
    with pytest.raises(UsageError, match="importance matrix"):
        encode(_weights(1, 256), kind, threads=1)


@pytest.mark.parametrize("kind", [Kind.Q8_1, Kind.Q8_K, Kind.I32, Kind.F64])
def test_kinds_the_library_does_not_make_are_refused(kind: Kind) -> None:
    with pytest.raises(UsageError, match=kind.name):
        encode(_weights(1, 256), kind, threads=1)


@pytest.mark.parametrize(("kind", "row"), [(Kind.Q4_K, 255), (Kind.Q8_0, 33), (Kind.Q6_K, 128)])
def test_rows_that_are_no_whole_blocks_are_refused(kind: Kind, row: int) -> None:
    with pytest.raises(BadInputError, match=f"row of {row}"):
        encode(_weights(1, row), kind, threads=1)


@pytest.mark.parametrize("imatrix", [np.ones(255), np.ones((1, 256)), np.full(256, np.nan)])
def test_an_importance_matrix_that_does_not_fit_is_refused(imatrix: NDArray[np.float32]) -> None:
    with pytest.raises(BadInputError, match="importance matrix"):
        encode(_weights(1, 256), Kind.Q4_K, threads=1, imatrix=imatrix.astype(np.float32))
