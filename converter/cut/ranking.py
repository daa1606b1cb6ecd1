"""The worth of every neuron and head group of a model, by the score that a person named.

What each costs on held-out text is in RESULTS.md beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from app.errors import UsageError
from converter.architecture import Model, Weight
from converter.checkpoint import to_float32
from converter.cut import scores
from converter.cut.geometry import Geometry
from converter.cut.saliency import LayerSaliency, Saliency
from converter.cut.scores import Scores


class Score(Enum):
    """By what units are ranked; the functions in `scores` say how."""

    SALIENCY = "saliency"
    ACTIVATION = "activation"
    RMS = "rms"
    FLUCTUATION = "fluctuation"
    MAGNITUDE = "magnitude"
    SECOND_ORDER = "second-order"
    RANDOM = "random"

    @property
    def needs_text(self) -> bool:
        """Whether it is measured on text."""
        return self not in (Score.MAGNITUDE, Score.RANDOM)

    @property
    def is_squared(self) -> bool:
        """Whether it is an energy, a mean square; the others are lengths."""
        return self in (Score.FLUCTUATION, Score.SECOND_ORDER)


def best_score(saliency: Saliency | None) -> Score:
    """The score that loses least after repair, of those that the measurement allows.

    RESULTS.md beside this file shows by how much: second-order, which needs the covariances of all
    layers, and close behind it the root mean square, which every saliency file holds.
    """
    layers = 0 if saliency is None else len(saliency.layers)
    known = 0 if saliency is None else len(saliency.covariances)
    return Score.SECOND_ORDER if layers and known == 2 * layers else Score.RMS


@dataclass(frozen=True, slots=True)
class LayerWorth:
    """The scores of one layer's units."""

    neurons: Scores
    """(n_ff,)"""
    groups: Scores
    """(key/value heads,)"""
    stream: float = 1.0
    """Mean squared length of the residual stream after the layer, where it was measured."""
    is_squared: bool = False
    """Whether the scores are energies."""

    def costs(self, scores: Scores) -> Scores:
        """What losing units of these scores changes in the residual stream, as a share of it.

        Energies of units add up, as far as the units are not correlated; a layer whose stream is
        long bears more. With it the units of different layers can be compared.
        """
        return (scores if self.is_squared else scores**2) / max(self.stream, 1e-30)


def rank(
    model: Model, geometry: Geometry, score: Score, saliency: Saliency | None, seed: int = 0
) -> tuple[LayerWorth, ...]:
    """Score all units; weights are read a matrix at a time.

    Raises:
        UsageError: the score needs a measurement, or covariances, that are not there.
    """
    if score.needs_text and saliency is None:
        raise UsageError(
            f"The score {score.value} is measured on text; give a saliency file, or choose "
            "magnitude or random."
        )
    weights = {weight.name: weight for weight in model.weights}
    worths = (
        _Layer(number, weights, geometry, saliency, seed).worth(score)
        for number in range(len(geometry.neurons))
    )
    streams = [1.0] * len(geometry.neurons)
    if saliency is not None and score.needs_text:
        streams = [layer.stream for layer in saliency.layers]
    return tuple(
        replace(worth, stream=stream, is_squared=score.is_squared)
        for worth, stream in zip(worths, streams, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    number: int
    weights: Mapping[str, Weight]
    geometry: Geometry
    saliency: Saliency | None
    seed: int

    def worth(self, score: Score) -> LayerWorth:
        match score:
            case Score.RANDOM:
                groups = self.geometry.groups[self.number]
                return LayerWorth(
                    scores.random(2 * self.number, self.geometry.neurons[self.number], self.seed),
                    scores.random(2 * self.number + 1, groups, self.seed),
                )
            case Score.MAGNITUDE:
                return self._magnitude()
            case Score.SECOND_ORDER:
                return self._second_order()
            case _:
                return self._measured(score)

    def _magnitude(self) -> LayerWorth:
        rows = [self._norms(part, axis=1) for part in ("ffn_gate", "ffn_up")]
        attention = [self._norms(part, axis=1) for part in ("attn_q", "attn_k", "attn_v")]
        attention.append(self._norms("attn_output", axis=0))
        return LayerWorth(
            scores.magnitude(*rows, self._norms("ffn_down", axis=0)),
            scores.magnitude(*map(self._by_group, attention)),
        )

    def _measured(self, score: Score) -> LayerWorth:
        assert self.saliency is not None, "rank saw to it"
        layer, tokens = self.saliency.layers[self.number], self.saliency.tokens
        neurons, heads = (
            _from_sums(score, sums, self._norms(part, axis=0), tokens)
            for sums, part in zip(_sums(layer), ("ffn_down", "attn_output"), strict=True)
        )
        return LayerWorth(neurons, self._by_group(heads))

    def _second_order(self) -> LayerWorth:
        assert self.saliency is not None, "rank saw to it"
        size = self._group_size
        found = []
        for part, unit in (("ffn_down", 1), ("attn_output", size)):
            name = f"blk.{self.number}.{part}.weight"
            covariance = self.saliency.covariances.get(name)
            if covariance is None:
                raise UsageError(
                    f"The saliency file has no covariance of layer {self.number}, which the score "
                    "second-order needs; measure again with --covariance all."
                )
            found.append(scores.second_order(_matrix(self.weights[name]), covariance, unit))
        return LayerWorth(found[0], found[1])

    @property
    def _group_size(self) -> int:
        """Numbers of `attn_output`'s input that belong to one group."""
        number = self.number
        heads, groups = self.geometry.heads[number], self.geometry.groups[number]
        return heads // groups * self.geometry.head_dim

    def _by_group(self, values: Scores) -> Scores:
        """Scores of single dimensions added up over each head group."""
        return np.asarray(values.reshape(self.geometry.groups[self.number], -1).sum(axis=1))

    def _norms(self, part: str, axis: int) -> Scores:
        """Euclidean norms along an axis: 1 of rows, 0 of columns."""
        matrix = _matrix(self.weights[f"blk.{self.number}.{part}.weight"])
        squares = np.einsum(_SQUARES[axis], matrix, matrix, dtype=np.float64)
        return np.asarray(np.sqrt(squares), dtype=np.float64)


_SQUARES = {0: "ij,ij->j", 1: "ij,ij->i"}


def _matrix(weight: Weight) -> NDArray[np.float32]:
    return to_float32(weight.rows(0, weight.shape[0]))


@dataclass(frozen=True, slots=True)
class _Sums:
    absolute: Scores
    plain: Scores
    square: Scores


def _sums(layer: LayerSaliency) -> Iterator[_Sums]:
    """Of the neurons, then of the single dimensions of all heads."""
    yield _Sums(layer.neuron_abs, layer.neuron_sum, layer.neuron_square)
    yield _Sums(layer.output_abs.ravel(), layer.output_sum.ravel(), layer.output_square.ravel())


def _from_sums(score: Score, sums: _Sums, norms: Scores, tokens: int) -> Scores:
    match score:
        case Score.ACTIVATION:
            return scores.activation(sums.absolute, tokens)
        case Score.SALIENCY:
            return scores.saliency(sums.absolute, norms, tokens)
        case Score.RMS:
            return scores.rms(sums.square, norms, tokens)
        case _:
            return scores.fluctuation(sums.square, sums.plain, norms, tokens)
