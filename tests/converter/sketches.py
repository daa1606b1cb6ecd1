"""Models of which only what the quantiser's rules look at is real, written as GGUF files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFWriter
from numpy.typing import NDArray

from converter.quantise import ModelFacts, TensorSpec


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

    def importance(self) -> dict[str, NDArray[np.float32]]:
        """An importance matrix for every matrix in blocks of two dimensions, seeded."""
        source = np.random.default_rng(9)
        return {
            tensor.name: source.gamma(0.5, 2.0, tensor.shape[-1]).astype(np.float32)
            for tensor in self.tensors()
            if len(tensor.shape) == 2
        }

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
