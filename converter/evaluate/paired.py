"""Two sets of answers to the same questions, told apart question by question."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from app.errors import UsageError
from app.sanitise import one_line
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.intervals import CONFIDENCE, mcnemar

_NAME = 240
"""Characters of a name with all that tells it from the other's."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What McNemar's exact test says of two evaluations.

    What makes a question hard is hard for both, so the questions that one alone has right tell two
    models apart that their intervals do not.
    """

    task: str
    first: str
    """Name of the model, with how it was asked where both are one model's."""
    second: str
    questions: int
    only_first: int
    """Questions that the first alone has right."""
    only_second: int
    p_value: float

    @property
    def sentence(self) -> str:
        """Which is better, or that the questions do not tell."""
        first, second = one_line(self.first, _NAME), one_line(self.second, _NAME)
        better, other = (first, second) if self.only_first > self.only_second else (second, first)
        verdict = (
            f"{better} is better than {other}"
            if self.p_value < 1 - CONFIDENCE
            else "these questions do not tell them apart"
        )
        return (
            f"{one_line(self.task, 40)}: {first} alone is right in {self.only_first:,} of "
            f"{self.questions:,}, {second} alone in {self.only_second:,} (McNemar's exact test, "
            f"p = {self.p_value:.3g}): {verdict}."
        )


def pair(first: Evaluation, second: Evaluation) -> Pair:
    """Test two evaluations of one set against each other.

    Raises:
        UsageError: they were not asked the same questions.
    """
    if not same_questions(first, second):
        raise UsageError(_refusal(first, second))
    rights = [
        (ours.correct, theirs.correct)
        for ours, theirs in zip(first.outcomes, second.outcomes, strict=True)
    ]
    only_first, only_second = rights.count((True, False)), rights.count((False, True))
    names = (first.model, second.model)
    if first.model == second.model:
        names = (_told_apart(first, second), _told_apart(second, first))
    return Pair(
        first.task, *names, len(rights), only_first, only_second, mcnemar(only_first, only_second)
    )


def pairs(evaluations: Sequence[Evaluation]) -> tuple[Pair, ...]:
    """Every two of these that answer the same questions."""
    return tuple(
        pair(first, second)
        for first, second in itertools.combinations(evaluations, 2)
        if same_questions(first, second)
    )


def unpaired(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Why two evaluations of sets of one name are not among the pairs, in a sentence for each."""
    for first, second in itertools.combinations(evaluations, 2):
        if first.task == second.task and not same_questions(first, second):
            yield _refusal(first, second)


def same_questions(first: Evaluation, second: Evaluation) -> bool:
    """Whether two evaluations asked the same of the same file."""
    return first.data_sha256 == second.data_sha256 and _asked(first) == _asked(second)


def _asked(evaluation: Evaluation) -> list[tuple[str, int, int]]:
    return [(one.id, one.truth, one.options) for one in evaluation.outcomes]


def _refusal(first: Evaluation, second: Evaluation) -> str:
    return (
        f"{_named(first)} and {_named(second)} were not asked the same questions, so their answers "
        "cannot be paired; evaluate both on the same file, with the same limit and seed."
    )


def _named(evaluation: Evaluation) -> str:
    return f"{one_line(evaluation.model, 60)} on {one_line(evaluation.task, 40)}"


def _told_apart(evaluation: Evaluation, other: Evaluation) -> str:
    """A name that the other, whose file has the same, does not have."""
    model = one_line(evaluation.model, 60)
    if evaluation.model_sha256 != other.model_sha256:
        return f"{model} ({evaluation.model_sha256[:8]})"
    if way(evaluation) != way(other):
        return f"{model} ({way(evaluation)})"
    ours, theirs = asdict(evaluation.settings), asdict(other.settings)
    apart = (f"{name} {value!r}" for name, value in ours.items() if value != theirs[name])
    return f"{model} ({', '.join((way(evaluation), *apart))})"


def way(evaluation: Evaluation) -> str:
    """How the model was asked, in a few words."""
    settings = evaluation.settings
    modes = {"letter": "by letter", "text": "by text", "write": "in writing"}
    parts = [modes[settings.mode]]
    if settings.mode == "letter" and evaluation.by_label:
        parts = ["by word"]
    if settings.mode == "text":
        parts.append("per byte" if settings.normalised else "summed")
    parts.append(f"{settings.shots}-shot")
    parts.append("chat template" if settings.template else "plain prompt")
    if settings.passages != "none":
        parts.append(
            "passages as published" if settings.passages == "published" else "passages found"
        )
    return ", ".join(parts)
