"""What a model's answers are worth beside guessing: the row that every report prints."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from app.sanitise import one_line
from converter.evaluate.baseline import chance, majority
from converter.evaluate.calibration import Calibration, calibrate
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.intervals import Interval, Standing
from converter.evaluate.metrics import Metrics, measure
from converter.evaluate.outcome import Outcome

_WORDS: dict[Standing, str] = {
    "above": "better than",
    "level": "not to be told from",
    "below": "worse than",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A number of questions: what the model made of them, and what guessing would have."""

    metrics: Metrics
    majority: str
    """The label that is true most often among these very questions."""
    baseline: Metrics
    """Of always choosing it."""
    chance: float
    """Accuracy of blind choice."""
    margin: float | None
    """Mean distance of the best score from the next, in the scores' unit; None without scores."""

    @property
    def sentence(self) -> str:
        """How the accuracy stands against both kinds of guessing, in words."""
        found = self.metrics
        return (
            f"{found.correct:,} of {found.questions:,} right ({found.accuracy:.1%}, 95% interval "
            f"{spanned(found.interval)}): {self.words}."
        )

    @property
    def words(self) -> str:
        """The judgement alone."""
        guess = f"chance ({self.chance:.1%})"
        always = f"always answering {one_line(self.majority, 20)} ({self.baseline.accuracy:.1%})"
        standings = [self.metrics.interval.against(value) for value in self.bars]
        first, second = (_WORDS[standing] for standing in standings)
        return f"{first} {guess}, and {second} {always}"

    @property
    def bars(self) -> tuple[float, float]:
        """The accuracies of chance and of the majority."""
        return self.chance, self.baseline.accuracy

    @property
    def skilled(self) -> bool:
        """Whether the whole interval lies above both kinds of guessing."""
        return all(self.metrics.interval.against(value) == "above" for value in self.bars)


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that is said of one evaluation, as numbers."""

    whole: Judgement
    """All questions; one that did not fit is wrong."""
    fitting: Judgement | None
    """Those that fit; None where all do, or none does."""
    too_long: tuple[str, ...]
    """Ids of the questions that did not fit."""
    subjects: tuple[tuple[str, Judgement], ...]
    """By the publisher's subjects, in the order of their names; none where the set has none."""
    otherwise: Judgement | None
    """In the mode `text`: all questions by the scores that did not decide, summed where those were
    divided by bytes and divided where they were summed. Published tables have one or the other."""
    calibration: Calibration | None


def summarise(evaluation: Evaluation) -> Summary:
    """Judge an evaluation as a whole, by what fits, and by subject."""
    outcomes, labels = evaluation.outcomes, evaluation.labels
    fitting = [outcome for outcome in outcomes if outcome.fits]
    partly = 0 < len(fitting) < len(outcomes)
    return Summary(
        whole=judge(outcomes, labels),
        fitting=judge(fitting, labels) if partly else None,
        too_long=tuple(outcome.id for outcome in outcomes if not outcome.fits),
        subjects=tuple(
            (subject, judge(held, labels)) for subject, held in by_subject(outcomes).items()
        ),
        otherwise=_otherwise(evaluation),
        calibration=calibrate(outcomes),
    )


def judge(outcomes: Sequence[Outcome], labels: Sequence[str]) -> Judgement:
    """Judge answers to at least one question."""
    truths = [outcome.truth for outcome in outcomes]
    label, baseline = majority(outcomes, labels)
    margins = [margin for one in outcomes if (margin := one.margin) is not None]
    return Judgement(
        metrics=measure(truths, [outcome.choice for outcome in outcomes], labels),
        majority=label,
        baseline=baseline,
        chance=chance(outcomes),
        margin=statistics.fmean(margins) if margins else None,
    )


def spanned(interval: Interval) -> str:
    """An interval of shares as people read it."""
    return f"{interval.low:.1%} to {interval.high:.1%}"


def by_subject(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The questions of each subject, in the order of their names; none where the set has none."""
    held: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        held.setdefault(outcome.subject, []).append(outcome)
    return {} if set(held) == {""} else dict(sorted(held.items()))


def _otherwise(evaluation: Evaluation) -> Judgement | None:
    if not any(outcome.sums for outcome in evaluation.outcomes):
        return None
    chosen = [_chosen_otherwise(one, evaluation.normalised) for one in evaluation.outcomes]
    return judge(chosen, evaluation.labels)


def _chosen_otherwise(outcome: Outcome, normalised: bool) -> Outcome:
    if not outcome.sums:
        return outcome
    scores = outcome.sums
    if not normalised:
        pairs = zip(outcome.sums, outcome.lengths, strict=True)
        scores = tuple(total / length for total, length in pairs)
    return dataclasses.replace(outcome, choice=scores.index(max(scores)), scores=scores)
