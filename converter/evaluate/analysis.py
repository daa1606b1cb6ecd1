"""Where a model errs: its answers grouped by subject, length and confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from converter.evaluate.calibration import confidence
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import by_subject
from converter.evaluate.outcome import Outcome

By = Literal["subject", "length", "confidence"]
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that are alike in one respect."""

    by: By
    name: str
    """A subject, or a range in words."""
    questions: int
    errors: int
    examples: tuple[Outcome, ...]
    """Of the errors, those with the widest margins: where the model was most surely wrong."""

    @property
    def share(self) -> float:
        """How many of them are wrong, from 0 to 1."""
        return self.errors / self.questions


def group_errors(evaluation: Evaluation) -> tuple[Group, ...]:
    """All groups; those of one respect hold each question once, and none is empty."""
    outcomes = evaluation.outcomes
    return (
        *_by_subject(outcomes),
        *_by_quartile("length", outcomes, lambda one: float(one.tokens), "{:.0f}", " tokens"),
        *_by_quartile("confidence", outcomes, confidence, "{:.3f}", ""),
    )


def _by_subject(outcomes: Sequence[Outcome]) -> Iterator[Group]:
    for subject, held in by_subject(outcomes).items():
        yield _group("subject", subject or "no subject", held)


def _by_quartile(
    by: By,
    outcomes: Sequence[Outcome],
    value: Callable[[Outcome], float | None],
    form: str,
    unit: str,
) -> Iterator[Group]:
    """Four groups of about one size; fewer where many questions have one value.

    What has no value makes a group of its own.
    """
    valued = [(found, one) for one in outcomes if (found := value(one)) is not None]
    below = -np.inf
    for bound in _quartiles([found for found, _ in valued]):
        held = [(found, one) for found, one in valued if below < found <= bound]
        low, high = min(found for found, _ in held), bound
        ends = [form.format(end) for end in ((low, high) if low < high else (high,))]
        yield _group(by, " to ".join(ends) + unit, [one for _, one in held])
        below = bound
    rest = [one for one in outcomes if value(one) is None]
    if rest and valued:
        yield _group(by, "none", rest)


def _quartiles(values: Sequence[float]) -> list[float]:
    """The upper ends of the quarters, each a value of its own; none without a value."""
    if not values:
        return []
    ends = np.quantile(values, (0.25, 0.5, 0.75, 1.0), method="inverted_cdf")
    return sorted({float(end) for end in ends})


def _group(by: By, name: str, held: Sequence[Outcome]) -> Group:
    wrong = [outcome for outcome in held if not outcome.correct]
    surest = sorted(wrong, key=lambda one: -(one.margin or 0.0))
    return Group(by, name, len(held), len(wrong), tuple(surest[:_EXAMPLES]))
