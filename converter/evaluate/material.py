"""What is asked, and what it is asked with: the questions drawn, examples and passages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.errors import UsageError
from converter.evaluate.evaluation import Settings
from converter.evaluate.passages import Retrieved
from converter.evaluate.question import Question, QuestionSet


@dataclass(frozen=True, slots=True)
class Material:
    """A set ready to be asked."""

    questions: QuestionSet
    """Those that were drawn, in the set's order."""
    available: int
    """Questions in the whole set."""
    examples: tuple[Question, ...] = ()
    """Worked before each question, in this order."""
    train_sha256: str = ""
    left_out: int = 0
    """Training questions that stand in the set itself, and so are no examples."""
    retrieved: Retrieved | None = None

    def passages(self, question: Question, settings: Settings) -> tuple[str, ...]:
        """What a question is asked with."""
        if settings.passages == "reference" and self.retrieved is not None:
            return self.retrieved.of(question)
        return question.passages if settings.passages == "published" else ()


def gather(
    questions: QuestionSet,
    settings: Settings,
    train: QuestionSet | None = None,
    retrieved: Retrieved | None = None,
) -> Material:
    """Draw questions and examples as the settings say, the same ones on any machine.

    Raises:
        UsageError: there are not enough examples, or no file of passages.
        BadInputError: a question has no row among the passages.
    """
    if (settings.passages == "reference") != (retrieved is not None):
        raise UsageError(
            "Passages of a reference need both --context reference and --passages FILE; give both."
        )
    places = {question.id: place for place, question in enumerate(questions.questions)}
    drawn = draw(questions.questions, settings.limit, settings.seed)
    drawn.sort(key=lambda question: places[question.id])
    if retrieved is not None:
        retrieved.check(drawn)
    material = Material(
        replace(questions, questions=tuple(drawn)), len(places), retrieved=retrieved
    )
    return _with_examples(material, settings, questions, train) if settings.shots else material


def _with_examples(
    material: Material, settings: Settings, questions: QuestionSet, train: QuestionSet | None
) -> Material:
    """Add worked examples, none of which is itself in the set."""
    if train is None:
        raise UsageError(
            f"Worked examples for {questions.task} need its training questions; name their file "
            "with --train, or leave --shots out."
        )
    asked = {question.text for question in questions.questions}
    different = {question.text: question for question in train.questions}
    others = [question for text, question in different.items() if text not in asked]
    if len(others) < settings.shots:
        raise UsageError(
            f"{settings.shots} examples for {questions.task} were asked for, but the training file "
            f"has {len(others)} questions that are not asked themselves; take fewer --shots."
        )
    return replace(
        material,
        examples=tuple(draw(others, settings.shots, settings.seed)),
        train_sha256=train.sha256,
        left_out=len(asked & set(different)),
    )


def draw(questions: Sequence[Question], count: int, seed: int) -> list[Question]:
    """So many questions in an order that the seed and their words decide; all for 0."""
    return sorted(questions, key=lambda question: _rank(question, seed))[: count or None]


def _rank(question: Question, seed: int) -> bytes:
    parts: Iterable[str] = (str(seed), question.id, question.text)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).digest()
