"""Accuracy, precision, recall and F1 of choices against truths, as harnesses define them.

A question without a choice is wrong: it lowers the recall of its true class and is in the
precision of none. What divides by nothing is 0. Averages run over the classes that are true or
chosen somewhere; a class that never occurs says nothing. With these rules the figures are those
of scikit-learn's `precision_recall_fscore_support` with `zero_division=0`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converter.evaluate.intervals import Interval, wilson


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall and F1 of one class, or averaged over classes; each from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class LabelScores:
    """How one class was met."""

    label: str
    support: int
    """Questions whose truth it is."""
    chosen: int
    """Questions it was chosen for."""
    scores: Scores


@dataclass(frozen=True, slots=True)
class Metrics:
    """What choices are worth over a number of questions."""

    questions: int
    correct: int
    interval: Interval
    """Of the accuracy."""
    macro: Scores
    """The plain mean over the classes."""
    weighted: Scores
    """The mean over the classes, each weighted by its support."""
    classes: tuple[LabelScores, ...]
    """Every label, in their order, also those that never occur."""
    confusion: tuple[tuple[int, ...], ...]
    """A row for each true label, a column for each chosen one, and a last one for no choice."""

    @property
    def accuracy(self) -> float:
        """The share of right choices; 0 without a question."""
        return self.correct / self.questions if self.questions else 0.0

    @property
    def unchosen(self) -> int:
        """Questions for which nothing was chosen."""
        return sum(row[-1] for row in self.confusion)

    @property
    def commonest(self) -> tuple[str, float]:
        """The label chosen most often, and for which share of the questions.

        A model that always says the same has no skill, however well the label is chosen. The first
        label stands where several are as frequent; none ("") where nothing was chosen.
        """
        most = max(self.classes, key=lambda one: one.chosen)
        return (most.label, most.chosen / self.questions) if most.chosen else ("", 0.0)


def measure(truths: Sequence[int], choices: Sequence[int | None], labels: Sequence[str]) -> Metrics:
    """Hold choices against truths.

    Args:
        truths: index of each question's true label.
        choices: index of the chosen one, None for no choice; as many.
        labels: what the indices stand for; at least one.
    """
    counts = _confusion(truths, choices, len(labels))
    precision, recall, f1 = _rates(counts)
    support, chosen = counts.sum(axis=1), counts[:, :-1].sum(axis=0)
    met = (support + chosen) > 0
    correct = int(np.trace(counts))
    return Metrics(
        questions=len(truths),
        correct=correct,
        interval=wilson(correct, len(truths)),
        macro=_average(precision, recall, f1, met.astype(np.float64)),
        weighted=_average(precision, recall, f1, support.astype(np.float64)),
        classes=tuple(
            LabelScores(
                label,
                int(support[index]),
                int(chosen[index]),
                Scores(float(precision[index]), float(recall[index]), float(f1[index])),
            )
            for index, label in enumerate(labels)
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
    )


def _confusion(
    truths: Sequence[int], choices: Sequence[int | None], labels: int
) -> NDArray[np.int64]:
    """Counts, int64 (labels, labels + 1); the last column is of no choice."""
    counts = np.zeros((labels, labels + 1), np.int64)
    for truth, choice in zip(truths, choices, strict=True):
        counts[truth, labels if choice is None else choice] += 1
    return counts


def _rates(
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and F1 of each label, float64 (labels,)."""
    hits = counts.diagonal().astype(np.float64)
    support = counts.sum(axis=1).astype(np.float64)
    chosen = counts[:, :-1].sum(axis=0).astype(np.float64)
    return _ratio(hits, chosen), _ratio(hits, support), _ratio(2 * hits, support + chosen)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _average(
    precision: NDArray[np.float64],
    recall: NDArray[np.float64],
    f1: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Scores:
    total = float(weights.sum())
    if total == 0:
        return Scores(0.0, 0.0, 0.0)
    means = [float((values * weights).sum()) / total for values in (precision, recall, f1)]
    return Scores(*means)
