"""Small checkpoints, the same everywhere and for ever: their weights come from SHAKE-128.

Needs NumPy alone, since the stock converter's environment builds from it too
(tests/converter/data/make_stock_hashes.py).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TEMPLATE = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + m['content'] }}{% endfor %}"
_LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@dataclass(frozen=True)
class Recipe:
    """A Llama checkpoint to build."""

    layers: int = 2
    width: int = 256
    neurons: int = 512
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    vocabulary: int = 320
    dtype: str = "BF16"
    tied: bool = True
    bias: bool = False
    shards: int = 1
    config: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of config.json."""

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every tensor, in no order that a file keeps."""
        queries, values = self.heads * self.head_dim, self.kv_heads * self.head_dim
        yield "model.norm.weight", (self.width,)
        yield "model.embed_tokens.weight", (self.vocabulary, self.width)
        if not self.tied:
            yield "lm_head.weight", (self.vocabulary, self.width)
        for layer in range(self.layers):
            block = f"model.layers.{layer}"
            yield f"{block}.input_layernorm.weight", (self.width,)
            yield f"{block}.post_attention_layernorm.weight", (self.width,)
            for part, rows, length in (
                ("self_attn.q_proj", queries, self.width),
                ("self_attn.k_proj", values, self.width),
                ("self_attn.v_proj", values, self.width),
                ("self_attn.o_proj", self.width, queries),
                ("mlp.gate_proj", self.neurons, self.width),
                ("mlp.up_proj", self.neurons, self.width),
                ("mlp.down_proj", self.width, self.neurons),
            ):
                yield f"{block}.{part}.weight", (rows, length)
                if self.bias:
                    yield f"{block}.{part}.bias", (rows,)

    def settings(self) -> dict[str, Any]:
        """config.json."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.width,
            "intermediate_size": self.neurons,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": 256,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "hidden_act": "silu",
            "tie_word_embeddings": self.tied,
            "attention_bias": self.bias,
            "mlp_bias": self.bias,
            "bos_token_id": 1,
            "eos_token_id": 2,
            **self.config,
        }


RECIPES = {
    "tied-bf16": Recipe(),
    "llama3-f16": Recipe(
        tied=False,
        kv_heads=4,
        head_dim=96,
        dtype="F16",
        shards=3,
        config={"rope_theta": 500000.0, "rope_scaling": _LLAMA3_SCALING},
    ),
    "uneven-f32": Recipe(
        layers=9, width=96, neurons=288, heads=6, kv_heads=1, head_dim=16, dtype="F32", bias=True
    ),
    "odd-bf16": Recipe(
        layers=1, width=256, neurons=264, heads=2, kv_heads=1, head_dim=20, tied=False
    ),
}
"""One for each way a file can differ. The last two have rows that k-quants cannot hold: multiples
of 32, and not even that."""


def build(folder: Path, recipe: Recipe) -> Path:
    """Write the checkpoint into a new folder."""
    folder.mkdir(parents=True)
    _write_json(folder / "config.json", recipe.settings())
    _write_json(
        folder / "generation_config.json",
        {"bos_token_id": 1, "eos_token_id": 2, "temperature": 0.6, "top_k": 40, "top_p": 0.95},
    )
    write_tokenizer(folder, recipe.vocabulary)
    tensors = {name: (recipe.dtype, weights(name, shape)) for name, shape in recipe.shapes()}
    write_weights(folder, tensors, recipe.shards)
    return folder


def weights(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Float32 weights that the name alone decides: norms near 1, others within a tenth of 0."""
    count = int(np.prod(shape))
    stream = hashlib.shake_128(name.encode()).digest(4 * count)
    values = (np.frombuffer(stream, "<u4").astype(np.float64) / 2**32 - 0.5) / 5
    values += "norm" in name
    if count > 6:  # halfway between two bfloat16 values, below the normal range, minus zero
        values[:6] = [1.00390625, 1.01171875, 1e-40, -1e-7, -0.0, 6.1e-5]
    return values.astype(np.float32).reshape(shape)


def write_weights(
    folder: Path, tensors: Mapping[str, tuple[str, NDArray[np.float32]]], shards: int = 1
) -> None:
    """Safetensors files, with an index when there are several."""
    names = list(tensors)
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors)
        return
    places: dict[str, str] = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        held = names[shard::shards]
        write_safetensors(folder / file, {name: tensors[name] for name in held})
        places |= dict.fromkeys(held, file)
    _write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": places})


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, NDArray[np.float32]]]) -> None:
    """One file; tensors come as type and float32 values."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (dtype, values) in tensors.items():
        stored = stored_bytes(values, dtype)
        place = [len(data), len(data) + len(stored)]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": place}
        data += stored
    path.write_bytes(pack_safetensors(header, data))


def pack_safetensors(header: Mapping[str, Any], data: bytes) -> bytes:
    """Length, header, data; the header padded to 8 bytes as the format's own writer does."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def stored_bytes(values: NDArray[np.float32], dtype: str) -> bytes:
    """Values as a checkpoint stores them; bfloat16 by cutting the lower half off."""
    if dtype == "BF16":
        return (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    return values.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def write_tokenizer(folder: Path, size: int) -> None:
    """A SentencePiece BPE model, its protobuf written by hand, and what stands beside it."""
    (folder / "tokenizer.model").write_bytes(_sentencepiece(size))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "LlamaTokenizer",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "add_bos_token": True,
            "add_eos_token": False,
            "chat_template": _TEMPLATE,
        },
    )


def _sentencepiece(size: int) -> bytes:
    """Control pieces, the 256 bytes, letters and words; numbers as in sentencepiece_model.proto."""
    pieces = [("<unk>", 2), ("<s>", 3), ("</s>", 3)]
    pieces += [(f"<0x{byte:02X}>", 6) for byte in range(256)]
    pieces += [(chr(0x61 + number), 1) for number in range(min(1000, size - len(pieces)))]
    pieces += [(f"word{number}", 1) for number in range(size - len(pieces))]
    model = b""
    for number, (text, kind) in enumerate(pieces[:size]):
        encoded = text.encode()
        piece = b"\x0a" + _varint(len(encoded)) + encoded
        piece += b"\x15" + struct.pack("<f", -float(number)) + b"\x18" + bytes([kind])
        model += b"\x0a" + _varint(len(piece)) + piece
    trainer = b"\x18\x02" + b"\x98\x02\x01"  # model_type BPE, byte_fallback
    normaliser = b"\x0a\x08identity" + b"\x20\x00"  # name, remove_extra_whitespaces
    for tag, message in ((b"\x12", trainer), (b"\x1a", normaliser)):
        model += tag + _varint(len(message)) + message
    return model


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
