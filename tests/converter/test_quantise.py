"""Types and bytes are those of the installed library's own quantiser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader, GGUFWriter, LlamaFileType, dequantize
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.errors import BadInputError, UsageError
from converter import ggml
from converter.quantise import FileType, ModelFacts, TensorSpec, encode, plan_types
from tests import llama

QUANTISED = [one for one in FileType if one.base not in ggml.FLOATS]


@dataclass(frozen=True)
class Sketch:
    """A model of which only what the rules look at is real; its matrices are a few rows high."""

    layers: int = 4
    width: int = 256
    neurons: int = 256
    queries: int = 256
    """The row length of attn_output."""
    heads: int = 4
    kv_heads: int = 4
    tied: bool = True
    experts: int = 0
    kind: Kind = Kind.F16
    fused: bool = False
    """Query, key and value in one matrix, as Phi-3 has them."""

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts("llama", self.layers, self.heads, self.kv_heads, self.experts)

    def tensors(self) -> Iterator[TensorSpec]:
        """In no order: the head first, the layers last to first."""
        if not self.tied:
            yield TensorSpec("output.weight", (4, self.width), self.kind)
        for layer in reversed(range(self.layers)):
            for name, shape in self._block():
                kind = self.kind if len(shape) > 1 else Kind.F32
                yield TensorSpec(f"blk.{layer}.{name}", shape, kind)
        yield TensorSpec("output_norm.weight", (self.width,), Kind.F32)
        yield TensorSpec("rope_freqs.weight", (32,), Kind.F32)
        yield TensorSpec("token_embd.weight", (4, self.width), self.kind)

    def _block(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield "attn_norm.weight", (self.width,)
        if self.fused:
            yield "attn_qkv.weight", (3, self.width)
        else:
            yield "attn_q.weight", (2, self.width)
            yield "attn_k.weight", (2, self.width)
            yield "attn_k.bias", (2,)
            yield "attn_v.weight", (2, self.width)
        yield "attn_output.weight", (2, self.queries)
        if self.experts:
            yield "ffn_gate_inp.weight", (self.experts, self.width)
            yield "ffn_up_exps.weight", (self.experts, 2, self.width)
            yield "ffn_down_exps.weight", (self.experts, 2, self.neurons)
        else:
            yield "ffn_gate.weight", (2, self.width)
            yield "ffn_up.weight", (1, self.width)  # ggml sees a vector in one row
            yield "ffn_down.weight", (2, self.neurons)

    def write(self, path: Path) -> Path:
        writer = GGUFWriter(path, "llama")
        writer.add_block_count(self.layers)
        writer.add_context_length(32)
        writer.add_embedding_length(self.width)
        writer.add_feed_forward_length(self.neurons)
        writer.add_head_count(self.heads)
        writer.add_head_count_kv(self.kv_heads)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_rope_dimension_count(self.width // self.heads)
        if self.experts:
            writer.add_expert_count(self.experts)
            writer.add_expert_used_count(2)
        source = np.random.default_rng(5)
        for tensor in self.tensors():
            values = source.standard_normal(tensor.shape, np.float32)
            if tensor.kind is Kind.F16:
                writer.add_tensor(tensor.name, values.astype(np.float16))
            elif tensor.kind is Kind.BF16:
                rounded = (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
                writer.add_tensor(tensor.name, rounded, raw_dtype=Kind.BF16)
            else:
                writer.add_tensor(tensor.name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


def _made_by_library(sketch: Sketch, file_type: FileType, folder: Path) -> dict[str, Kind]:
    source = folder / "source.gguf"
    if not source.exists():
        sketch.write(source)
    out = folder / "out.gguf"
    llama.quantise(source, out, file_type.ftype)
    reader = GGUFReader(out)
    assert reader.fields["general.file_type"].contents() == file_type.ftype
    return {tensor.name: tensor.tensor_type for tensor in reader.tensors}


SKETCHES = {
    "one layer": Sketch(layers=1),
    "seven layers": Sketch(layers=7, tied=False),
    "eight layers, grouped": Sketch(layers=8, heads=8, kv_heads=2),
    "sixteen layers": Sketch(layers=16, tied=False, heads=8, kv_heads=1, kind=Kind.BF16),
    "thirty-two layers": Sketch(layers=32, tied=False, kind=Kind.F32),
    "forty layers": Sketch(layers=40, heads=6, kv_heads=2),
    "thrice shared heads": Sketch(layers=3, heads=12, kv_heads=4),
    "rows of 288": Sketch(width=288, neurons=288, queries=288, tied=False),
    "rows of 288, tied": Sketch(layers=9, width=288, neurons=512, queries=256),
    "odd rows": Sketch(width=240, neurons=96, queries=100, tied=False),
    "odd neurons alone": Sketch(neurons=1000, queries=320),
    "a 70B": Sketch(layers=80, heads=64, kv_heads=8, tied=False),
    "a 65B": Sketch(layers=80, heads=64, kv_heads=64, tied=False),
    "eight experts": Sketch(layers=8, experts=8, tied=False, heads=8, kv_heads=2),
    "four experts": Sketch(layers=16, experts=4, heads=8, kv_heads=2),
    "fused": Sketch(layers=9, fused=True),
}


@pytest.mark.parametrize("name", SKETCHES)
def test_every_mixture_has_the_types_of_the_library(name: str, tmp_path: Path) -> None:
    sketch = SKETCHES[name]
    for file_type in FileType:
        planned = plan_types(sketch.tensors(), sketch.facts, file_type)
        assert planned == _made_by_library(sketch, file_type, tmp_path), file_type
        assert list(planned) == [tensor.name for tensor in sketch.tensors()]


_ROW = st.sampled_from([256, 512, 288, 96, 100])


@settings(max_examples=30, deadline=None)
@given(
    sketch=st.builds(
        Sketch,
        layers=st.integers(1, 40),
        width=st.just(256) | st.sampled_from([512, 288, 96]),
        neurons=_ROW,
        queries=_ROW,
        heads=st.just(12),
        kv_heads=st.sampled_from([1, 2, 3, 4, 6, 12]),
        tied=st.booleans(),
        kind=st.sampled_from([Kind.F32, Kind.F16, Kind.BF16]),
        fused=st.booleans(),
    ),
    file_type=st.sampled_from(QUANTISED),
)
def test_any_model_has_the_types_of_the_library(
    sketch: Sketch, file_type: FileType, tmp_path_factory: pytest.TempPathFactory
) -> None:
    planned = plan_types(sketch.tensors(), sketch.facts, file_type)
    assert planned == _made_by_library(sketch, file_type, tmp_path_factory.mktemp("any"))


def test_file_types_are_the_librarys() -> None:
    for file_type in FileType:
        prefix = "ALL_" if file_type is FileType.F32 else "MOSTLY_"
        assert LlamaFileType[prefix + file_type.name].value == file_type.ftype


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Q4_K_M", FileType.Q4_K_M), (" q4_k ", FileType.Q4_K_M), ("q3_k", FileType.Q3_K_M),
     ("Q5_K", FileType.Q5_K_M), ("bf16", FileType.BF16), ("Q6_K", FileType.Q6_K),
     ("Q2_K", FileType.Q2_K)],
)  # fmt: skip
def test_file_types_are_named_in_any_case(text: str, meant: FileType) -> None:
    assert FileType.parse(text) is meant


@pytest.mark.parametrize("text", ["", "Q4", "Q9_K", "Q4_K_M_M", "_M", "IQ2_XXS"])
def test_an_unknown_file_type_is_answered_with_the_choices(text: str) -> None:
    with pytest.raises(UsageError, match=r"F32, F16, BF16, Q8_0, Q2_K, .*, Q6_K\.$"):
        FileType.parse(text)


def _weights(rows: int, row: int) -> NDArray[np.float32]:
    return np.random.default_rng(rows).standard_normal((rows, row), np.float32)


@pytest.mark.parametrize("file_type", FileType)
@pytest.mark.parametrize("threads", [1, 3])
def test_bytes_are_the_librarys(file_type: FileType, threads: int, tmp_path: Path) -> None:
    sketch = Sketch(layers=2, width=512, neurons=288, queries=100, tied=False, kind=Kind.F32)
    source = {one.name: one.data for one in GGUFReader(sketch.write(tmp_path / "in.gguf")).tensors}
    llama.quantise(tmp_path / "in.gguf", tmp_path / "out.gguf", file_type.ftype)
    for tensor in GGUFReader(tmp_path / "out.gguf").tensors:
        rows = source[tensor.name].reshape(-1, source[tensor.name].shape[-1])
        made = encode(rows, tensor.tensor_type, threads=threads)
        assert made.tobytes() == tensor.data.tobytes(), tensor.name


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
