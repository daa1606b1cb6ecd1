"""The Llama family: Llama 1 to 3 and everything published as LlamaForCausalLM.

Names, row order and keys are those of the stock converter (llama.cpp's conversion/llama.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from app.sanitise import one_line
from converter import metadata
from converter.architecture.config import count, number, switch
from converter.architecture.model import Model
from converter.architecture.rope import llama3_factors, rope_parameters, scaling_fields
from converter.architecture.weights import Held, Stored, Weight
from converter.checkpoint import Checkpoint, SourceTensor
from converter.quantise import ModelFacts

ARCHITECTURE = "llama"

_BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_EMBEDDING, _NORM, _HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
_FACTORS = "rope_freqs.weight"
_OUTSIDE = {_EMBEDDING: "token_embd.weight", _NORM: "output_norm.weight", _HEAD: "output.weight"}
_RECOMPUTED = (".rotary_emb.inv_freq", ".attention.masked_bias", ".attention.bias")
"""Buffers that old checkpoints carry and no runtime reads."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The numbers of config.json from which every tensor's shape follows."""

    layers: int
    width: int
    neurons: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    attention_bias: bool
    mlp_bias: bool

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> _Shape:
        """Take the numbers, with the defaults that transformers' LlamaConfig has."""
        width, heads = count(config, "hidden_size"), count(config, "num_attention_heads")
        shape = cls(
            layers=count(config, "num_hidden_layers"),
            width=width,
            neurons=count(config, "intermediate_size"),
            heads=heads,
            kv_heads=count(config, "num_key_value_heads", heads),
            head_dim=count(config, "head_dim", width // heads),
            vocabulary=count(config, "vocab_size"),
            tied=switch(config, "tie_word_embeddings"),
            attention_bias=switch(config, "attention_bias"),
            mlp_bias=switch(config, "mlp_bias"),
        )
        if shape.heads % shape.kv_heads:
            raise BadInputError(
                f"config.json gives {heads} attention heads for {shape.kv_heads} key/value heads; "
                "they cannot be shared out evenly."
            )
        if shape.head_dim % 2:
            raise BadInputError(
                f"config.json gives a head_dim of {shape.head_dim}; rotary positions turn pairs, "
                "so it must be even."
            )
        return shape

    def tensors(self, *, head: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every tensor that the checkpoint must hold, with its shape.

        `head` says whether there is an output head: some tied checkpoints hold one as well, and
        the stock converter keeps it.
        """
        yield _EMBEDDING, (self.vocabulary, self.width)
        yield _NORM, (self.width,)
        if head:
            yield _HEAD, (self.vocabulary, self.width)
        for layer in range(self.layers):
            for part, shape in self._block():
                yield f"model.layers.{layer}.{part}", shape

    def _block(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        queries, values = self.heads * self.head_dim, self.kv_heads * self.head_dim
        matrices = {
            "self_attn.q_proj": (queries, self.width),
            "self_attn.k_proj": (values, self.width),
            "self_attn.v_proj": (values, self.width),
            "self_attn.o_proj": (self.width, queries),
            "mlp.gate_proj": (self.neurons, self.width),
            "mlp.up_proj": (self.neurons, self.width),
            "mlp.down_proj": (self.width, self.neurons),
        }
        for part, shape in matrices.items():
            yield f"{part}.weight", shape
            if self.attention_bias if part.startswith("self_attn") else self.mlp_bias:
                yield f"{part}.bias", shape[:1]
        yield "input_layernorm.weight", (self.width,)
        yield "post_attention_layernorm.weight", (self.width,)


def describe(checkpoint: Checkpoint) -> Model:
    """The checkpoint as a `llama` file.

    Raises:
        BadInputError: A number is missing or impossible, or the tensors are not those that the
            numbers call for.
    """
    config = checkpoint.config
    if config.get("hidden_act") not in (None, "silu"):
        raise BadInputError("config.json asks for another activation than silu, so it is no Llama.")
    shape = _Shape.read(config)
    _check_tensors(checkpoint, shape)
    rope = rope_parameters(config)
    weights: list[Weight] = []
    if (factors := llama3_factors(rope, shape.head_dim)) is not None:
        weights.append(Held(_FACTORS, _FACTORS, factors))
    weights += [
        _weight(tensor, shape)
        for name, tensor in checkpoint.tensors.items()
        if not name.endswith(_RECOMPUTED)
    ]
    return Model(
        facts=ModelFacts(ARCHITECTURE, shape.layers, shape.heads, shape.kv_heads),
        fields=tuple(_fields(config, shape, rope)),
        weights=tuple(weights),
        vocabulary_rows=shape.vocabulary,
    )


def _fields(
    config: Mapping[str, Any], shape: _Shape, rope: Mapping[str, Any]
) -> list[metadata.Field]:
    context = count(config, "max_position_embeddings", 2048)
    epsilon = number(config, "rms_norm_eps", 1e-6)
    return [
        metadata.uint32("llama.block_count", shape.layers),
        metadata.uint32("llama.context_length", context),
        metadata.uint32("llama.embedding_length", shape.width),
        metadata.uint32("llama.feed_forward_length", shape.neurons),
        metadata.uint32("llama.attention.head_count", shape.heads),
        metadata.uint32("llama.attention.head_count_kv", shape.kv_heads),
        *scaling_fields(rope),
        metadata.float32("llama.attention.layer_norm_rms_epsilon", epsilon),
        metadata.uint32("llama.attention.key_length", shape.head_dim),
        metadata.uint32("llama.attention.value_length", shape.head_dim),
        metadata.uint32("llama.vocab_size", shape.vocabulary),
        metadata.uint32("llama.rope.dimension_count", shape.head_dim),
    ]


def _check_tensors(checkpoint: Checkpoint, shape: _Shape) -> None:
    """The checkpoint holds the tensors its config calls for, and no others."""
    expected = set()
    for name, wanted in shape.tensors(head=not shape.tied or _HEAD in checkpoint.tensors):
        expected.add(name)
        tensor = checkpoint.tensors.get(name)
        if tensor is None:
            raise BadInputError(f"The checkpoint is not whole: it has no tensor {name}.")
        if tensor.shape != wanted:
            raise BadInputError(
                f"{name} is {_sizes(tensor.shape)}, but config.json calls for {_sizes(wanted)}; "
                "the files are of different models."
            )
        _ = tensor.type  # refuse packed and integer weights before any work is done
    for name in checkpoint.tensors:
        if name not in expected and not name.endswith(_RECOMPUTED):
            raise BadInputError(
                f"The checkpoint holds {one_line(name, 80)}, which a Llama model has no use for; "
                "it is of another kind than its config.json says."
            )


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def _weight(tensor: SourceTensor, shape: _Shape) -> Stored:
    if (outside := _OUTSIDE.get(tensor.name)) is not None:
        return Stored(outside, tensor)
    match = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)", tensor.name)
    assert match is not None, "every name was compared with the expected ones"
    layer, part, ending = match.groups()
    heads = {"self_attn.q_proj": shape.heads, "self_attn.k_proj": shape.kv_heads}.get(part)
    order = None if heads is None else _interleaved(heads, shape.head_dim)
    return Stored(f"blk.{layer}.{_BLOCK[part]}.{ending}", tensor, order)


def _interleaved(heads: int, head_dim: int) -> NDArray[np.intp]:
    """The row order of queries and keys in a GGUF file.

    Transformers rotates dimension i of a head with i + head_dim/2, llama.cpp 2i with 2i + 1.
    """
    rows: NDArray[np.intp] = np.arange(heads * head_dim, dtype=np.intp)
    return np.ravel(rows.reshape(heads, 2, head_dim // 2).swapaxes(1, 2))
