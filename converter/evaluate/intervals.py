"""How far a count can be trusted: the one file that leans on a library of statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scipy.stats import binomtest

CONFIDENCE = 0.95
"""Of every interval that Bedside prints beside an accuracy."""

Standing = Literal["above", "level", "below"]
"""Where an interval lies against a value; `level` is not to be told from it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the share lies that was met in a sample, with the confidence above."""

    low: float
    high: float

    def against(self, value: float) -> Standing:
        """Whether the interval lies wholly above the value, wholly below it, or covers it."""
        if self.low > value:
            return "above"
        return "below" if self.high < value else "level"


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a share (Wilson 1927), which keeps within 0 and 1 at both ends.

    Without a trial nothing is known, and the interval is the whole of 0 to 1.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    found = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(found.low), float(found.high))


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test (McNemar 1947, by the binomial).

    Questions that both answer alike say nothing of which is better; of the others half would fall
    to each if neither were.

    Args:
        only_first: questions that the first alone has right.
        only_second: questions that the second alone has right.

    Returns:
        A value from 0 to 1; 1 where no question tells the two apart.
    """
    differing = only_first + only_second
    return float(binomtest(only_first, differing).pvalue) if differing else 1.0
