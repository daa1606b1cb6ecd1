"""Measures a model while llama.cpp runs it over text: saliency, importance matrix, turn, moments.

All in one pass, through the eval callback. Sums of a micro-batch are float32, those over the text
float64. The output head is not computed: its input is all that is wanted, and nothing comes after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from converter.cut.saliency import LayerSaliency
from converter.graph import Tensor

Rows = NDArray[np.float32]

_WEIGHT = re.compile(r"blk\.(\d+)\.(\w+)\.weight")
_SHARED = {"attn_k": "attn_q", "attn_v": "attn_q", "ffn_up": "ffn_gate"}
"""Weights that read the same input as another, which is measured for both."""
_ROWS = 128
"""Tokens summed at once: few enough that they stay in the cache between product and sum."""
_EVERY = 8
"""Of the tokens, one in so many is used for the residual stream, whose lengths and angles differ
little from token to token: to copy and compare all of it at every depth would cost as much as all
other sums."""


@dataclass(slots=True)
class _Sums:
    """Sums over tokens of one weight's input."""

    square: NDArray[np.float64]
    plain: NDArray[np.float64] | None = None
    absolute: NDArray[np.float64] | None = None

    def add(self, rows: Rows, name: str) -> None:
        """Add a micro-batch's rows.

        Raises:
            BadInputError: they hold values that are not numbers; `name` is told.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found below
            self._add(rows)
        _check_numbers(self.square, name)

    def _add(self, rows: Rows) -> None:
        scratch = np.empty((min(_ROWS, len(rows)), rows.shape[1]), dtype=np.float32)
        ones = np.ones(len(scratch), dtype=np.float32)  # a product with them is BLAS's sum
        for start in range(0, len(rows), _ROWS):
            block = rows[start : start + _ROWS]
            room, one = scratch[: len(block)], ones[: len(block)]
            self.square += one @ np.multiply(block, block, out=room)
            if self.absolute is not None and self.plain is not None:
                self.plain += one @ block
                self.absolute += one @ np.abs(block, out=room)


def _check_numbers(values: NDArray[Any], name: str) -> None:
    if not np.isfinite(values).all():
        raise BadInputError(
            f"The model computes values that are not numbers (NaN or infinite) at {name}; "
            "its weights are damaged, or too large for this type of file."
        )


class Products:
    """Watches a graph and adds up XᵀX of what some weights read, and nothing else."""

    def __init__(self, sides: Mapping[str, int]) -> None:
        """Watch the weights of these names, in the order of the graph, with rows so long."""
        self._sums = {name: np.zeros((side, side)) for name, side in sides.items()}
        self._tokens = dict.fromkeys(sides, 0)
        self._last = next(reversed(self._sums), None)

    def __contains__(self, name: str) -> bool:
        return name in self._sums

    @property
    def tokens(self) -> int:
        """How many ran through."""
        return self._tokens[self._last] if self._last is not None else 0

    def add(self, name: str, rows: Rows) -> None:
        """Add a micro-batch's rows: products in float32, sums in float64.

        Raises:
            BadInputError: they hold values that are not numbers.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found below
            self._sums[name] += rows.T @ rows
        _check_numbers(np.diagonal(self._sums[name]), name)
        self._tokens[name] += len(rows)

    def wants(self, tensor: Tensor) -> bool:
        """Products of the weights alone."""
        return tensor.multiplies and tensor.source(0).name in self._sums

    def take(self, tensor: Tensor) -> bool:
        """Add it up; after the last weight there is nothing left to compute."""
        name = tensor.source(0).name
        self.add(name, tensor.source(1).rows())
        return name != self._last

    def means(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """XᵀX / tokens of each weight that was read at all; its sums are given up."""
        for name, tokens in self._tokens.items():
            sums = self._sums.pop(name)
            if tokens:
                sums /= tokens
                yield name, sums.astype(np.float32)


@dataclass(slots=True)
class Collector:
    """Watches a graph of the Llama family and adds up what its weights read."""

    shapes: Mapping[str, int]
    """Name of each weight to the length of its rows: what its input has."""
    layers: int
    products: Products = field(default_factory=lambda: Products({}))
    """Weights whose input's XᵀX is summed on the way."""
    tokens: int = 0
    _sums: dict[str, _Sums] = field(default_factory=dict)
    _turns: NDArray[np.float64] = field(init=False)
    _streams: NDArray[np.float64] = field(init=False)
    _sampled: list[Rows] = field(default_factory=list)
    _angles: NDArray[np.float64] = field(init=False)
    _sampled_tokens: int = 0

    def __post_init__(self) -> None:
        self._turns, self._streams = np.zeros(self.layers), np.zeros(self.layers)
        self._angles = np.zeros((self.layers + 1, self.layers + 1))
        for name, row in self.shapes.items():
            if self._leader(name) != name:
                continue
            detailed = name.endswith(("ffn_down.weight", "attn_output.weight"))
            self._sums[name] = _Sums(
                np.zeros(row),
                np.zeros(row) if detailed else None,
                np.zeros(row) if detailed else None,
            )

    def wants(self, tensor: Tensor) -> bool:
        """Products of the weights measured, the residual stream, and what the head reads."""
        if tensor.multiplies:
            return tensor.source(0).name in self._sums
        name = tensor.name
        return name.startswith("l_out-") or name in ("embd", "inp_embd", "result_norm")

    def take(self, tensor: Tensor) -> bool:
        """Add it up; after the head's input there is nothing left to compute."""
        if tensor.multiplies:
            name = tensor.source(0).name
            rows = tensor.source(1).rows()
            self._sums[name].add(rows, name)
            if name in self.products:
                self.products.add(name, rows)
            return True
        name, rows = tensor.name, tensor.rows()
        if name == "result_norm":
            self._sums[self._head].add(rows, self._head)
            self._add_stream()
            self.tokens += len(rows)
            return False
        if not name.startswith("l_out-"):
            self._sampled.clear()
        self._sampled.append(rows[::_EVERY].copy())
        return True

    @property
    def _head(self) -> str:
        return "output.weight" if "output.weight" in self.shapes else "token_embd.weight"

    def _leader(self, name: str) -> str:
        """The weight at which this one's input is measured."""
        found = _WEIGHT.fullmatch(name)
        if found is None:
            return name
        other = f"blk.{found[1]}.{_SHARED.get(found[2], found[2])}.weight"
        return other if other in self.shapes else name

    def _add_stream(self) -> None:
        """Lengths of the residual stream, and angular distances between all pairs of depths."""
        stack = np.stack(self._sampled, axis=1)  # (tokens, depths, width)
        squares = np.einsum("tid,tid->ti", stack, stack)
        stack /= np.sqrt(np.maximum(squares, np.float32(1e-30)))[:, :, None]
        cosines = np.clip(stack @ stack.swapaxes(1, 2), -1, 1)
        self._streams += squares[:, 1:].sum(axis=0, dtype=np.float64)
        turned = np.diagonal(cosines, 1, axis1=1, axis2=2)
        self._turns += turned.sum(axis=0, dtype=np.float64)
        self._angles += (np.arccos(cosines) / np.pi).sum(axis=0)
        self._sampled_tokens += len(stack)

    def layer(self, number: int, heads: int) -> LayerSaliency:
        """What was measured of a layer with so many heads."""
        down = self._sums[f"blk.{number}.ffn_down.weight"]
        output = self._sums[f"blk.{number}.attn_output.weight"]
        assert down.plain is not None and down.absolute is not None
        assert output.plain is not None and output.absolute is not None
        return LayerSaliency(
            neuron_abs=down.absolute,
            neuron_sum=down.plain,
            neuron_square=down.square,
            output_abs=output.absolute.reshape(heads, -1),
            output_sum=output.plain.reshape(heads, -1),
            output_square=output.square.reshape(heads, -1),
            turn=float(self._turns[number] / max(self._sampled_tokens, 1)),
            stream=float(self._streams[number] / max(self._sampled_tokens, 1)),
        )

    def squares(self) -> dict[str, NDArray[np.float32]]:
        """Sums of squares by weight, those with a shared input included."""
        return {
            name: self._sums[self._leader(name)].square.astype(np.float32) for name in self.shapes
        }

    def spans(self) -> dict[tuple[int, int], float]:
        """Mean angular distance over every block of layers, by its first layer and its length."""
        return {
            (first, last - first): float(self._angles[first, last] / max(self._sampled_tokens, 1))
            for first in range(self.layers)
            for last in range(first + 1, self.layers + 1)
        }
