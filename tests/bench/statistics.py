"""Medians with intervals, and what they say of a bar."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True, slots=True)
class Median:
    """A median with a 95 % interval that assumes no distribution."""

    value: float
    low: float
    high: float
    count: int

    def verdict(self, bar: float) -> str:
        """Whether the value is at least the bar; undecided where the interval spans it."""
        if self.low >= bar:
            return "holds"
        return "does not hold" if self.high < bar else "undecided"

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n = {self.count})"


def median(values: Sequence[float]) -> Median:
    """The median, and the order statistics between which it lies with 95 %.

    The number of values below the true median is binomial with one half; the interval leaves at
    most 2.5 % of it on each side (Conover, Practical Nonparametric Statistics, section 3.2).
    """
    ranked = sorted(values)
    count = len(ranked)
    outside, below = 0, 0.0
    while below + comb(count, outside) / 2**count <= 0.025:
        below += comb(count, outside) / 2**count
        outside += 1
    first = max(outside - 1, 0)
    return Median(statistics.median(ranked), ranked[first], ranked[count - 1 - first], count)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * int(share * 100) // 100) - 1)]
