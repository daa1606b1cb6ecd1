"""The Llama family's forward pass in NumPy, on the checkpoint's own arrays and none of our code.

Sources: RMS norm (Zhang and Sennrich 2019), rotary positions (Su et al. 2021, in the half-rotation
form in which Hugging Face stores the weights), grouped-query attention (Ainslie et al. 2023),
SwiGLU (Shazeer 2020); frequencies of Llama 3.1 as transformers computes them
(modeling_rope_utils.py). All in float64, so that a difference is llama.cpp's rounding or a mistake.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mask:
    """Units set to zero, each by its layer; a head is a query head."""

    neurons: Mapping[int, Sequence[int]] = field(default_factory=dict)
    heads: Mapping[int, Sequence[int]] = field(default_factory=dict)
    layers: Sequence[int] = ()
    """Layers whose both halves add nothing to the residual stream."""


def logits(folder: Path, tokens: Sequence[int], mask: Mask | None = None) -> Array:
    """Logits of every position, (tokens, vocabulary), for a checkpoint of LlamaForCausalLM."""
    mask = mask or Mask()
    config = json.loads((folder / "config.json").read_text())
    weights = read_weights(folder)
    epsilon = config["rms_norm_eps"]
    angles = np.outer(np.arange(len(tokens)), frequencies(config))
    x = weights["model.embed_tokens.weight"][list(tokens)]
    for layer in range(config["num_hidden_layers"]):
        if layer in mask.layers:
            continue
        start = f"model.layers.{layer}."
        block = {
            name.removeprefix(start): value
            for name, value in weights.items()
            if name.startswith(start)
        }
        silence(block, "mlp.down_proj", mask.neurons.get(layer, ()))
        silence(block, "self_attn.o_proj", mask.heads.get(layer, ()), angles.shape[-1] * 2)
        x = x + attention(norm(x, block["input_layernorm.weight"], epsilon), block, config, angles)
        x = x + feed_forward(norm(x, block["post_attention_layernorm.weight"], epsilon), block)
    x = norm(x, weights["model.norm.weight"], epsilon)
    head = "model.embed_tokens" if config["tie_word_embeddings"] else "lm_head"
    return linear(x, weights, head)


def silence(block: Mapping[str, Array], name: str, units: Sequence[int], size: int = 1) -> None:
    """Set to zero what reads these units, which is the same as setting the units to zero."""
    columns = [unit * size + place for unit in units for place in range(size)]
    block[f"{name}.weight"][:, columns] = 0


def norm(x: Array, weight: Array, epsilon: float) -> Array:
    """RMS norm over the last axis."""
    return np.asarray(x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * weight)


def linear(x: Array, weights: Mapping[str, Array], name: str) -> Array:
    """x W^T, and the bias where there is one."""
    out: Array = x @ weights[f"{name}.weight"].T
    return out + weights.get(f"{name}.bias", np.zeros(1))


def attention(
    x: Array, block: Mapping[str, Array], config: Mapping[str, Any], angles: Array
) -> Array:
    """Causal attention in which several query heads share a key/value head."""
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    length = len(x)

    def project(name: str, count: int) -> Array:  # (count, tokens, head_dim)
        rows = linear(x, block, f"self_attn.{name}")
        return np.swapaxes(rows.reshape(length, count, -1), 0, 1)

    query = rotate(project("q_proj", heads), angles)
    key = rotate(project("k_proj", groups), angles).repeat(heads // groups, axis=0)
    value = project("v_proj", groups).repeat(heads // groups, axis=0)
    scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
    scores[:, ~np.tri(length, dtype=bool)] = -np.inf
    shares: Array = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return linear((shares @ value).swapaxes(0, 1).reshape(length, -1), block, "self_attn.o_proj")


def rotate(x: Array, angles: Array) -> Array:
    """Turn each pair (i, i + half) of a head by its position's angle."""
    first, second = np.split(x, 2, axis=-1)
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def frequencies(config: Mapping[str, Any]) -> Array:
    """Radians a position of each pair of a head, (head_dim / 2,), with Llama 3.1's scaling."""
    size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    plain = config["rope_theta"] ** -(np.arange(0, size, 2) / size)
    scaling = config.get("rope_scaling")
    if scaling is None:
        return np.asarray(plain)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * plain / (2 * math.pi)
    kept = np.clip((turns - low) / (high - low), 0, 1)  # 1: turns often in the old context
    return np.asarray(plain * (kept + (1 - kept) / scaling["factor"]))


def feed_forward(x: Array, block: Mapping[str, Array]) -> Array:
    """SwiGLU: the gate's SiLU decides how much of each neuron passes."""
    gate = linear(x, block, "mlp.gate_proj")
    return linear(
        gate / (1 + np.exp(-gate)) * linear(x, block, "mlp.up_proj"), block, "mlp.down_proj"
    )


def read_weights(folder: Path) -> dict[str, Array]:
    """Every tensor of the folder's safetensors files, in float64."""
    weights: dict[str, Array] = {}
    for path in sorted(folder.glob("*.safetensors")):
        data = path.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        for name, entry in json.loads(data[8:start]).items():
            if name != "__metadata__":
                begin, end = (start + offset for offset in entry["data_offsets"])
                weights[name] = _values(data[begin:end], entry["dtype"]).reshape(entry["shape"])
    return weights


def _values(data: bytes, dtype: str) -> Array:
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)
    return np.frombuffer(data, {"F32": "<f4", "F16": "<f2"}[dtype]).astype(np.float64)
