"""What a neuron or a head group is worth: every score as a plain function; more is worth more.

Columns are those of the matrix that reads the units (`ffn_down`, `attn_output`): what a unit adds
to the residual stream is its activation times its column. Sums are divided by the tokens, so that
scores of runs of different length compare.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""One number a unit; at least 0."""

RIDGE = 0.01
"""Added to a covariance's diagonal as a share of its mean, as GPTQ and SlimGPT do (`percdamp`)."""
_BATCH = 8
"""Units removed between two updates of the inverse, or as small a share of many units: few, so that
twins seldom go together."""
_SHARE = 192
"""Of so many units, one may be removed with another between two updates."""
_ROWS = 64
"""Of the inverse that are updated at once: they stay in the cache between product and sum."""


def activation(absolute: Scores, tokens: int) -> Scores:
    """Mean |x|: how much a unit is used, whatever is made of it."""
    return np.asarray(absolute / tokens)


def saliency(absolute: Scores, column_norms: Scores, tokens: int) -> Scores:
    """Mean |x| times the norm of the unit's column: how much it adds to the stream on average."""
    return np.asarray(absolute / tokens * column_norms)


def rms(square: Scores, column_norms: Scores, tokens: int) -> Scores:
    """Root mean square of x times the norm of the column.

    Wanda's |W| times the norm of X (Sun et al. 2023) for a whole column at once.
    """
    return np.asarray(np.sqrt(square / tokens) * column_norms)


def fluctuation(square: Scores, plain: Scores, column_norms: Scores, tokens: int) -> Scores:
    """Variance of x times the column's squared norm: what no constant could stand in for.

    FLAP's "weighted input feature variance" (An et al. 2024).
    """
    mean = plain / tokens
    variance = np.maximum(square / tokens - mean**2, 0)
    return np.asarray(variance * column_norms**2)


def magnitude(*norms: Scores) -> Scores:
    """The norms of all rows and columns of a unit, added: needs no text."""
    return np.asarray(sum(norms), dtype=np.float64)


def random(layer: int, units: int, seed: int) -> Scores:
    """Numbers in 0 to 1 that only the seed, the layer and the unit decide: the blind baseline."""

    def draw(unit: int) -> float:
        digest = hashlib.sha256(f"{seed} {layer} {unit}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56

    return np.array([draw(unit) for unit in range(units)])


def second_order(
    columns: NDArray[np.float32], covariance: NDArray[np.float32], size: int = 1
) -> Scores:
    """What it costs to remove each unit after the best repair of all others.

    The optimal brain surgeon (Hassibi and Stork 1993) on the layer's output: the squared error of
    leaving out column j of W and repairing the rest is |w_j|² / [C⁻¹]_jj, C the covariance of the
    inputs. The cheapest units go first; W and C⁻¹ are then those of what is left, so that a unit
    whose stand-in is gone becomes dear. The scores ascend in the order of removal.

    Args:
        columns: W as (outputs, inputs).
        covariance: XᵀX / tokens, (inputs, inputs).
        size: how many neighbouring inputs make a unit: 1 for neurons, those of a head group.
    """
    inputs = columns.shape[1]
    damped = covariance.astype(np.float64)
    damped[np.diag_indices(inputs)] += RIDGE * max(float(np.trace(covariance)) / inputs, 1e-12)
    inverse: Scores = np.asarray(np.linalg.inv(damped), dtype=np.float64)
    del damped  # as large as the inverse
    left = columns.astype(np.float64)
    units = np.arange(inputs // size)
    batch = max(1, _BATCH // size, len(units) // _SHARE)
    alive = np.ones(len(units), dtype=bool)
    scores, reached = np.zeros(len(units)), 0.0
    while alive.any():
        places = np.flatnonzero(alive)
        costs = _removal_costs(left, inverse, places, size)
        order = np.argsort(costs, kind="stable")[:batch]
        reached_by = np.maximum.accumulate(np.maximum(costs[order], reached))
        scores[units[places[order]]], reached = reached_by, float(reached_by[-1])
        _remove(left, inverse, _inputs(places[order], size))
        alive[places[order]] = False
        if alive.sum() * 8 < len(alive) * 7:  # copying is worth it when an eighth is gone
            kept = _inputs(np.flatnonzero(alive), size)
            units, left = units[alive], np.ascontiguousarray(left[:, kept])
            inverse = inverse[np.ix_(kept, kept)]
            alive = np.ones(len(units), dtype=bool)
    return scores


def _inputs(units: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    return np.asarray((units[:, None] * size + np.arange(size)).ravel())


def _removal_costs(
    left: NDArray[np.float64], inverse: NDArray[np.float64], units: NDArray[np.intp], size: int
) -> Scores:
    """trace(W_u [C⁻¹]_uu⁻¹ W_uᵀ) for every unit u."""
    if size == 1:
        return np.asarray(np.einsum("ij,ij->j", left, left)[units] / np.diagonal(inverse)[units])
    costs = []
    for unit in units:
        part = slice(unit * size, (unit + 1) * size)
        own = left[:, part]
        costs.append(np.sum(own.T * np.linalg.solve(inverse[part, part], own.T)))
    return np.array(costs)


def _remove(
    left: NDArray[np.float64], inverse: NDArray[np.float64], gone: NDArray[np.intp]
) -> None:
    """Repair W for inputs that are gone, and take them out of C⁻¹ (a Schur complement)."""
    across = inverse[gone]
    shares = np.linalg.solve(across[:, gone], across)
    left -= left[:, gone] @ shares
    for start in range(0, len(inverse), _ROWS):
        inverse[start : start + _ROWS] -= across[:, start : start + _ROWS].T @ shares
