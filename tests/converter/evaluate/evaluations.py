"""Hand-made answers and evaluations."""

from __future__ import annotations

from collections.abc import Sequence

from converter.census import take_census
from converter.evaluate.evaluation import Evaluation, Settings
from converter.evaluate.outcome import Outcome
from converter.evaluate.question import Question, QuestionSet

LABELS = ("A", "B", "C", "D")


def outcome(
    number: int,
    truth: int,
    choice: int | None,
    *,
    scores: tuple[float, ...] = (),
    subject: str = "",
    tokens: int = 40,
    options: int = 4,
) -> Outcome:
    """One that fits where something was chosen."""
    return Outcome(
        id=f"q{number}",
        truth=truth,
        choice=choice,
        scores=scores,
        tokens=tokens,
        fits=choice is not None,
        options=options,
        subject=subject,
    )


def outcomes(truths: Sequence[int], choices: Sequence[int | None]) -> tuple[Outcome, ...]:
    """One for each pair."""
    pairs = zip(truths, choices, strict=True)
    return tuple(outcome(number, *both) for number, both in enumerate(pairs))


def evaluation(
    held: Sequence[Outcome],
    *,
    task: str = "quiz",
    model: str = "small.gguf",
    sha256: str = "a" * 64,
) -> Evaluation:
    """Of the model with this hash."""
    return Evaluation(
        task=task,
        labels=LABELS,
        by_label=False,
        model=model,
        model_sha256=sha256,
        census=take_census([("Q4_K", 1000, 563), ("F32", 10, 40)]),
        data_sha256="d" * 64,
        train_sha256="",
        passages_sha256="",
        available=len(held) + 5,
        settings=Settings(),
        context=128,
        template="its own",
        versions={"llama-cpp-python": "0.3.36"},
        seconds=2.0,
        outcomes=tuple(held),
    )


MIXED = (
    outcome(0, 0, 0, scores=(-1.0, -3.0, -4.0, -5.0), subject="Heart", tokens=10),
    outcome(1, 0, 1, scores=(-2.0, -1.5, -4.0, -5.0), subject="Heart", tokens=20),
    outcome(2, 1, 2, scores=(-9.0, -8.0, -0.5, -9.5), subject="Lung", tokens=30),
    outcome(3, 2, None, subject="Lung", tokens=300),
    outcome(4, 0, 0, scores=(-1.0, -1.1, -1.2, -1.3), subject="Heart", tokens=40),
)
"""Two right, two wrong, one too long; two subjects; A is true most often."""


def questions(held: Sequence[Outcome], task: str = "quiz") -> QuestionSet:
    """Made-up ones for these answers."""
    return QuestionSet(
        task=task,
        labels=LABELS,
        questions=tuple(
            Question(
                id=one.id,
                text=f"What is the {one.id}th thing?",
                options=tuple(f"thing {label} of {one.id}" for label in LABELS[: one.options]),
                answer=one.truth,
                subject=one.subject,
            )
            for one in held
        ),
        sha256="d" * 64,
    )
