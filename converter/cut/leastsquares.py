"""Ridge least squares from second moments: a step away from weights that are there already.

For inputs x and what the weights miss r = y − W x, the step D with the smallest sum of
‖r − D x‖² + ridge ‖D‖² is R (C + ridge)⁻¹, with C the second moments of x and R those of r with x.
Penalising the step, and not the weights, makes "leave it alone" the limit of a large ridge; working
on r, and not on y, keeps what little is missing from drowning in rounding. Steps are measured in
each input's own scale (the ridge is a share of C's diagonal), since a few neurons are a thousand
times as loud as the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

RIDGES = (1e-6, 1e-3, 1e-2, 1e-1, 1.0)
"""Shares of the diagonal that are tried, each on the held-out part."""


@dataclass(slots=True)
class Moments:
    """Sums over tokens, from which the error after any step follows."""

    inputs: int
    outputs: int
    gram: Doubles = field(init=False)
    """Σ x xᵀ, (inputs, inputs)."""
    cross: Doubles = field(init=False)
    """Σ x rᵀ, (inputs, outputs)."""
    power: float = 0.0
    """Σ ‖r‖²: the error without a step."""
    tokens: int = 0

    def __post_init__(self) -> None:
        self.gram = np.zeros((self.inputs, self.inputs))
        self.cross = np.zeros((self.inputs, self.outputs))

    def add(self, x: NDArray[np.float32], r: NDArray[np.float32]) -> None:
        """Count tokens in: x (..., inputs), r (..., outputs); float32 products, float64 sums."""
        x, r = x.reshape(-1, self.inputs), r.reshape(-1, self.outputs)
        self.gram += x.T @ x
        self.cross += x.T @ r
        self.power += float(np.square(r, dtype=np.float64).sum())
        self.tokens += len(x)

    def error(self, step: Doubles) -> float:
        """Σ ‖r − D x‖² for the transposed step Dᵀ, (inputs, outputs); at least 0."""
        explained = 2 * np.vdot(step, self.cross) - np.vdot(step, self.gram @ step)
        return max(0.0, self.power - float(explained))


@dataclass(frozen=True, slots=True)
class Fit:
    """A step, and what it is worth on text that it was not fitted to."""

    step: NDArray[np.float32] | None
    """To be added to the weights, (outputs, inputs); None where none helps."""
    ridge: float | None
    """The share of the diagonal that was chosen; None where there is no step."""
    before: float
    """Held-out error without it."""
    after: float
    """Held-out error with it; never above `before`."""

    @property
    def gain(self) -> float:
        """Share of the held-out error that is gone, from 0 to 1."""
        return 1 - self.after / self.before if self.before > 0 else 0.0


def fit(seen: Moments, held_out: Moments, ridges: Sequence[float] = RIDGES) -> Fit:
    """The step that is best on the held-out part, or none where none helps there.

    Args:
        seen: what steps are fitted to.
        held_out: what decides among them.
        ridges: shares of the diagonal to try.
    """
    best = Fit(None, None, held_out.power, held_out.power)
    diagonal = np.diagonal(seen.gram)
    floor = max(float(diagonal.mean()) * 1e-6, np.finfo(np.float64).tiny)
    scale = np.maximum(diagonal, floor)  # an input that was never on has no scale of its own
    ridged = np.empty_like(seen.gram)
    for ridge in ridges:
        np.copyto(ridged, seen.gram)
        ridged[np.diag_indices(len(scale))] += ridge * scale
        step: Doubles = np.asarray(np.linalg.solve(ridged, seen.cross), dtype=np.float64)
        after = held_out.error(step)
        if after < best.after:
            best = Fit(step.T.astype(np.float32), ridge, held_out.power, after)
    return best
