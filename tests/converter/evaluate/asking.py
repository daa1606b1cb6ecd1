"""Questions of our own, and runs of them on a small model."""

from __future__ import annotations

from converter.evaluate.evaluation import Evaluation, Settings
from converter.evaluate.material import gather
from converter.evaluate.passages import Retrieved
from converter.evaluate.question import Question, QuestionSet
from converter.evaluate.resume import Kept
from converter.evaluate.run import Candidate, run
from tests.converter.evaluate.conftest import Small

WORDS = ("eye", "heart", "lung", "skin", "bone", "nerve", "kidney")


def questions(count: int, first: int = 0) -> QuestionSet:
    """Lettered questions with options of uneven length, two to four of them."""
    made = tuple(_question(number) for number in range(first, first + count))
    return QuestionSet("organs", ("A", "B", "C", "D"), made, "1" * 64)


def _question(number: int) -> Question:
    words = [WORDS[(number + step) % len(WORDS)] for step in range(2 + number % 3)]
    return Question(
        id=f"q{number}",
        text=f"Which is organ {number}?",
        options=tuple(
            f"the {word} {'x' * (place % 2)}".strip() for place, word in enumerate(words)
        ),
        answer=number % len(words),
        subject=f"part {number % 2}",
    )


def yes_no(count: int) -> QuestionSet:
    """Questions whose options are the labels, each with something to read."""
    made = tuple(
        Question(
            f"p{n}", f"Does it {WORDS[n]}?", ("yes", "no", "maybe"), n % 3, "", (f"It is {n}.",)
        )
        for n in range(count)
    )
    return QuestionSet("studies", ("yes", "no", "maybe"), made, "2" * 64, by_label=True)


def ask(
    model: Small,
    asked: QuestionSet,
    settings: Settings,
    *,
    kept: Kept | None = None,
    train: QuestionSet | None = None,
    retrieved: Retrieved | None = None,
) -> Evaluation:
    """A run with a clock that stands still."""
    return run(
        Candidate(model.file, "3" * 64),
        gather(asked, settings, train, retrieved),
        settings,
        threads=1,
        kept=kept,
        clock=lambda: 0.0,
    )
