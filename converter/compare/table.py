"""Rows of the comparison, and what they say: rivals, the curve between them, a verdict."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from converter.speed import Speed

Role = Literal["full", "ladder", "weighed", "candidate"]
"""The unquantised model; it quantised plainly; it quantised by importance; what is judged."""


@dataclass(frozen=True, slots=True)
class Score:
    """A perplexity on one corpus."""

    value: float
    error: float
    """Standard error, taking tokens as independent."""
    window_nlls: tuple[float, ...] = ()
    """Mean negative log-likelihood of each window."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A file's accuracy in one exam, with its 95% interval."""

    value: float
    low: float
    high: float
    skilled: bool
    """Whether the whole interval lies above chance and above the majority's accuracy."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file."""

    name: str
    role: Role
    nbytes: int
    """Of the file."""
    bits_per_weight: float
    parameters: int
    scores: tuple[Score, ...]
    """One for each corpus, in the table's order; the first decides."""
    sha256: str = ""
    """Of the file."""
    speed: Speed | None = None
    marks: tuple[Mark | None, ...] = ()
    """One for each exam, in the table's order; None where the file was not evaluated."""

    @property
    def perplexity(self) -> float:
        """On the corpus that decides."""
        return self.scores[0].value


@dataclass(frozen=True, slots=True)
class Corpus:
    """A held-out text as it was scored."""

    name: str
    sha256: str
    """Of the file."""
    chunks: int
    tokens: int
    """Scored ones."""
    overlap: float | None
    """Share of its runs of words that stand in the calibration text; None where none was named."""


@dataclass(frozen=True, slots=True)
class Exam:
    """Multiple-choice questions, asked in one way."""

    task: str
    way: str
    """How they were asked, in words."""
    questions: int
    data_sha256: str
    chance: float
    """Accuracy of blind choice."""
    majority: float
    """Accuracy of always giving the answer that is right most often."""


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, with what makes them mean something."""

    rows: tuple[Row, ...]
    corpora: tuple[Corpus, ...]
    context: int
    full: str
    """Name of the full model."""
    full_sha256: str
    calibration: tuple[str, ...]
    """SHA-256 of the files that importance was measured on."""
    versions: dict[str, str] = field(default_factory=dict)
    exams: tuple[Exam, ...] = ()
    """What some of the files were evaluated on."""

    @property
    def candidates(self) -> tuple[Row, ...]:
        """What is judged."""
        return tuple(row for row in self.rows if row.role == "candidate")

    @property
    def rivals(self) -> tuple[Row, ...]:
        """The full model's quantised files, from the largest down."""
        own = (row for row in self.rows if row.role in ("ladder", "weighed"))
        return tuple(sorted(own, key=lambda row: -row.nbytes))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A candidate against the full model's own files."""

    candidate: Row
    rival: Row | None
    """The largest file of the full model that is not over the candidate's bytes; None where even
    the smallest is larger."""
    curve: float | None
    """Perplexity of the full model at the candidate's bytes, between its own best files; None
    outside their range."""

    @property
    def wins(self) -> bool | None:
        """Whether the candidate is better than its rival and than the curve; None without either.

        Being better than the rival alone may only mean that the rival is smaller.
        """
        others = [self.curve] if self.rival is None else [self.curve, self.rival.perplexity]
        known = [other for other in others if other is not None]
        return all(self.candidate.perplexity < other for other in known) if known else None

    @property
    def difference(self) -> tuple[float, float] | None:
        """Log-perplexity above the rival's, and its standard error over the windows.

        Window by window, since what makes a text hard is hard for both: the difference is known
        far better than either value. None with fewer than two windows.
        """
        if self.rival is None:
            return None
        pairs = zip(
            self.candidate.scores[0].window_nlls, self.rival.scores[0].window_nlls, strict=True
        )
        steps = [ours - theirs for ours, theirs in pairs]
        if len(steps) < 2:
            return None
        return statistics.fmean(steps), statistics.stdev(steps) / math.sqrt(len(steps))

    @property
    def close(self) -> bool:
        """Whether the windows are too few to tell the candidate from its rival."""
        return self.difference is not None and abs(self.difference[0]) < 2 * self.difference[1]

    @property
    def sentence(self) -> str:
        """What the table says of the candidate, win or lose."""
        name, value = self.candidate.name, self.candidate.perplexity
        if self.rival is None:
            return (
                f"{name}: no file of the full model is as small; its perplexity of {value:.3f} "
                "has no rival at these bytes."
            )
        rival = self.rival
        against = f"its rival {rival.name} ({rival.nbytes / 1e6:.2f} MB) has {rival.perplexity:.3f}"
        between = "" if self.curve is None else f", the curve at its bytes {self.curve:.3f}"
        ending = "better than plain quantisation" if self.wins else "no better than quantisation"
        paired = ""
        if self.difference is not None:
            mean, error = self.difference
            paired = f" ({mean:+.4f} ± {error:.4f} in log-perplexity over the same windows)"
        if self.close:
            ending = "too close to its rival to tell on so few windows, and no gain shown"
        return (
            f"{name}: perplexity {value:.3f}; {against}{paired}{between}: {ending} at equal bytes."
        )


def judge(candidate: Row, rivals: Iterable[Row]) -> Verdict:
    """Hold a candidate against the full model's own files."""
    rivals = list(rivals)
    smaller = [row for row in rivals if row.nbytes <= candidate.nbytes]
    rival = max(smaller, key=lambda row: (row.nbytes, -row.perplexity), default=None)
    return Verdict(candidate, rival, curve_at(candidate.nbytes, rivals))


def frontier(rows: Iterable[Row]) -> list[Row]:
    """The rows that no smaller or equal one beats, from the smallest up."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.nbytes, row.perplexity)):
        if not best or row.perplexity < best[-1].perplexity:
            best.append(row)
    return best


def curve_at(nbytes: int, rows: Iterable[Row]) -> float | None:
    """The perplexity of the best rows at these bytes: its logarithm is taken as straight between.

    Above the largest of the frontier it stays flat, since more bytes can be left unused; below the
    smallest there is none.
    """
    best = frontier(rows)
    if not best or nbytes < best[0].nbytes:
        return None
    for low, high in itertools.pairwise(best):
        if nbytes <= high.nbytes:
            part = (nbytes - low.nbytes) / (high.nbytes - low.nbytes)
            logs = math.log(low.perplexity), math.log(high.perplexity)
            return math.exp(logs[0] + part * (logs[1] - logs[0]))
    return best[-1].perplexity


def verdicts(table: Table) -> Sequence[Verdict]:
    """One for each candidate, in the table's order."""
    return [judge(row, table.rivals) for row in table.candidates]
