"""The Llama family's forward pass in NumPy, one half of a layer at a time.

Restoration compares two models layer by layer, with weights that change between the passes, so it
runs its own: float32 and BLAS, on weights as the GGUF file holds them, in which rotary positions
turn neighbouring dimensions of a head (https://arxiv.org/abs/2104.09864, equation 34). A batch of
hidden states is float32 (chunks, tokens, width); every chunk is a text of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from converter.architecture import Model, Weight
from converter.checkpoint import check_numbers, to_float32
from converter.cut.geometry import Geometry

Floats = NDArray[np.float32]
_DEEP = -80.0
"""Below it, a gate's sigmoid is zero in float32 and its exponential would soon overflow."""


@dataclass(slots=True)
class Half:
    """Attention or the feed-forward block of one layer; its weights may be replaced."""

    norm: str
    readers: tuple[str, ...]
    """The matrices that read the residual stream."""
    writer: str
    """The matrix whose product is added to it."""
    weights: dict[str, Floats]
    """Its weights by name, without `blk.N.`; biases where there are any."""
    groups: int = 0
    """Key/value heads; 0 for the feed-forward block."""


@dataclass(frozen=True, slots=True)
class Forward:
    """What all layers of a model share."""

    epsilon: float
    head_dim: int
    frequencies: NDArray[np.float64]
    """Radians a token by which each pair of dimensions turns, (head_dim / 2,)."""

    @classmethod
    def of(cls, model: Model) -> Forward:
        """The settings of a model.

        Raises:
            BadInputError: Its rotary positions are scaled in a way that is not computed here.
        """
        told = {field.key.partition(".")[2]: field.value for field in model.fields}
        size = Geometry.read(model).head_dim
        theta = _number(told, "rope.freq_base", 10000.0)
        plain = theta ** -(np.arange(0, size, 2) / size)
        scaling = told.get("rope.scaling.type", "none")
        if scaling == "linear":
            plain = plain / _number(told, "rope.scaling.factor", 1.0)
        elif scaling != "none":
            raise BadInputError(
                f"The model scales its positions by {scaling}, with which nothing can be restored; "
                "prune it without --restore."
            )
        factors = next((w for w in model.weights if w.name == "rope_freqs.weight"), None)
        if factors is not None:
            plain = plain / read(factors)
        epsilon = _number(told, "attention.layer_norm_rms_epsilon", 1e-5)
        return cls(epsilon, size, np.asarray(plain, dtype=np.float64))

    def normed(self, half: Half, x: Floats) -> Floats:
        """What the readers of a half see: RMS norm, then its weight."""
        scale = 1 / np.sqrt(
            np.mean(np.square(x), axis=-1, keepdims=True) + np.float32(self.epsilon)
        )
        return np.asarray(x * scale * half.weights[half.norm])

    def features(self, half: Half, seen: Floats) -> Floats:
        """What the writer of a half multiplies: the heads' answers, or the neurons' activations.

        Args:
            half: of any layer.
            seen: `normed` of the hidden states, (chunks, tokens, width).
        """
        if half.groups:
            return self._heads(half, seen)
        gate = _linear(half, "ffn_gate", seen)
        activated: Floats = gate / (1 + np.exp(-np.maximum(gate, np.float32(_DEEP))))
        activated *= _linear(half, "ffn_up", seen)
        return activated

    def _heads(self, half: Half, seen: Floats) -> Floats:
        chunks, tokens = seen.shape[:2]
        angles = np.outer(np.arange(tokens), self.frequencies)
        turns = np.exp(1j * angles).astype(np.complex64)
        query = self._turned(_linear(half, "attn_q", seen), turns)
        key = self._turned(_linear(half, "attn_k", seen), turns)
        value = self._split(_linear(half, "attn_v", seen))
        shared = query.shape[1] // key.shape[1]
        future = np.triu(np.full((tokens, tokens), -np.inf, dtype=np.float32), 1)
        out = np.empty((chunks, tokens, query.shape[1], self.head_dim), dtype=np.float32)
        for chunk in range(chunks):  # the scores of one chunk alone are in memory
            for head in range(query.shape[1]):
                group = head // shared
                scores = query[chunk, head] @ key[chunk, group].T
                scores *= np.float32(1 / math.sqrt(self.head_dim))
                scores += future
                scores -= scores.max(axis=-1, keepdims=True)
                np.exp(scores, out=scores)
                total = scores.sum(axis=-1, keepdims=True)
                out[chunk, :, head] = (scores @ value[chunk, group]) / total
        return np.asarray(out.reshape(chunks, tokens, -1))

    def _split(self, rows: Floats) -> Floats:
        """(chunks, tokens, heads * head_dim) to (chunks, heads, tokens, head_dim)."""
        chunks, tokens = rows.shape[:2]
        return np.swapaxes(rows.reshape(chunks, tokens, -1, self.head_dim), 1, 2)

    def _turned(self, rows: Floats, turns: NDArray[np.complex64]) -> Floats:
        pairs = np.ascontiguousarray(self._split(rows)).view(np.complex64)
        return np.asarray((pairs * turns).view(np.float32))


def written(half: Half, features: Floats) -> Floats:
    """What a half adds to the residual stream."""
    return _linear(half, half.writer, features)


def halves(weights: Mapping[str, Weight], layer: int, groups: int) -> tuple[Half, Half]:
    """Attention and feed-forward of a layer, read into memory."""
    start = f"blk.{layer}."
    read_in = {
        name.removeprefix(start): read(weight)
        for name, weight in weights.items()
        if name.startswith(start)
    }
    attention = {name: value for name, value in read_in.items() if name.startswith("attn")}
    feed_forward = {name: value for name, value in read_in.items() if name.startswith("ffn")}
    return (
        Half("attn_norm.weight", ("attn_q", "attn_k", "attn_v"), "attn_output", attention, groups),
        Half("ffn_norm.weight", ("ffn_gate", "ffn_up"), "ffn_down", feed_forward),
    )


def read(weight: Weight) -> Floats:
    """A whole weight in float32.

    Raises:
        BadInputError: Some of it is not a number.
    """
    rows = weight.shape[0] if len(weight.shape) > 1 else 1
    values = to_float32(weight.rows(0, rows)).reshape(weight.shape)
    check_numbers(values, weight.origin)
    return values


def _linear(half: Half, name: str, x: Floats) -> Floats:
    out: Floats = x @ half.weights[f"{name}.weight"].T
    if (bias := half.weights.get(f"{name}.bias")) is not None:
        out += bias
    return out


def _number(told: Mapping[str, object], key: str, default: float) -> float:
    value = told.get(key, default)
    assert isinstance(value, (int, float)), "the architecture writes numbers under these keys"
    return float(value)
