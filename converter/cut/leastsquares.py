"""Ridge least squares from second moments: a correction to weights that are there already.

For inputs x and targets y, the D with the smallest sum of ‖y − (W + D) x‖² + ridge ‖D‖² is
R (C + ridge)⁻¹, with C the inputs' second moments and R those of the error y − W x with the inputs.
Penalising the step, and not the weights, makes "leave it alone" the limit of a large ridge.
Steps are measured in each input's own scale (the ridge is a share of C's diagonal), since a few
neurons are a thousand times as loud as the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Shares of the diagonal that are tried, each on the held-out part."""


@dataclass(slots=True)
class Moments:
    """Sums over tokens, from which the error of any weights follows."""

    inputs: int
    outputs: int
    gram: Doubles = field(init=False)
    """Σ x xᵀ, (inputs, inputs)."""
    cross: Doubles = field(init=False)
    """Σ x yᵀ, (inputs, outputs)."""
    power: float = 0.0
    """Σ ‖y‖²."""
    tokens: int = 0

    def __post_init__(self) -> None:
        self.gram = np.zeros((self.inputs, self.inputs))
        self.cross = np.zeros((self.inputs, self.outputs))

    def add(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
        """Count tokens in: x (..., inputs), y (..., outputs); float32 products, float64 sums."""
        x, y = x.reshape(-1, self.inputs), y.reshape(-1, self.outputs)
        self.gram += x.T @ x
        self.cross += x.T @ y
        self.power += float(np.square(y, dtype=np.float64).sum())
        self.tokens += len(x)

    def error(self, weights: NDArray[np.floating]) -> float:
        """Σ ‖y − W x‖² for weights (outputs, inputs); at least 0, whatever rounding says."""
        w = weights.T.astype(np.float64)
        explained = 2 * np.vdot(w, self.cross) - np.vdot(w, self.gram @ w)
        return max(0.0, self.power - float(explained))


@dataclass(frozen=True, slots=True)
class Fit:
    """Corrected weights, and what they are worth on text that they were not fitted to."""

    weights: NDArray[np.float32]
    ridge: float | None
    """The share of the diagonal that was chosen; None where the weights are left alone."""
    before: float
    """Held-out error of the weights as they were."""
    after: float
    """Held-out error of `weights`; never above `before`."""

    @property
    def gain(self) -> float:
        """Share of the held-out error that is gone, from 0 to 1."""
        return 1 - self.after / self.before if self.before > 0 else 0.0


def fit(
    weights: NDArray[np.float32],
    seen: Moments,
    held_out: Moments,
    ridges: Sequence[float] = RIDGES,
) -> Fit:
    """The correction that is best on the held-out part, or none where none helps there.

    Args:
        weights: (outputs, inputs), as they are.
        seen: what corrections are fitted to.
        held_out: what decides among them.
        ridges: shares of the diagonal to try.
    """
    before = held_out.error(weights)
    best = Fit(weights, None, before, before)
    diagonal = np.diagonal(seen.gram)
    floor = max(float(diagonal.mean()) * 1e-6, np.finfo(np.float64).tiny)
    scale = np.maximum(diagonal, floor)  # an input that was never on has no scale of its own
    missing = seen.cross - seen.gram @ weights.T.astype(np.float64)
    for ridge in ridges:
        step = np.linalg.solve(seen.gram + np.diag(ridge * scale), missing)
        candidate = (weights + step.T).astype(np.float32)
        after = held_out.error(candidate)
        if after < best.after:
            best = Fit(candidate, ridge, before, after)
    return best
