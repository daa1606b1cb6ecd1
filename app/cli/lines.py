"""A turn in lines of text, for `ask` and the plain chat: what the screen draws, said in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.assistant.events import Alert, Passages
from app.knowledge.passage import Passage
from app.safety import Card, Question
from app.sanitise import one_line


def alert_lines(alert: Alert) -> Iterator[str]:
    """The card, or the one line for a clinician."""
    if not alert.patient:
        yield alert.line
        return
    yield from card_lines(alert.card)


def card_lines(card: Card) -> Iterator[str]:
    """A card whole."""
    yield from (card.title.upper(), card.head, card.say)
    yield from (f"- {step}" for step in card.steps)
    if card.source:
        yield f"(Rule from: {card.source}; reviewed by no clinician of this project.)"


def passage_lines(passages: Passages) -> Iterator[str]:
    """Where the answer comes from."""
    if not passages.found:
        yield "The reference has nothing on this: the answer rests on the model alone."
    for number, passage in enumerate(passages.found, start=1):
        yield f"[{number}] {_named(passage)}"


def asked_lines(questions: Sequence[Question]) -> Iterator[str]:
    """The questions after a complaint, where nobody waits for the answer."""
    if questions:
        yield "If one of these is so, ask again and say it:"
    yield from (f"- {question.ask}" for question in questions)


def question_line(questions: Sequence[Question]) -> Iterator[str]:
    """The first of the questions that stand; the plain chat asks one at a time, as the screen."""
    if questions:
        more = f"; {len(questions) - 1} more" if len(questions) > 1 else ""
        yield f"? {questions[0].ask} (/yes or /no, or in your own words{more})"


def _named(passage: Passage) -> str:
    parts = [passage.title, passage.source, passage.url, passage.date]
    reviewed = "reviewed by no clinician" if passage.reviewed_by == "none" else ""
    return " · ".join(one_line(part) for part in (*parts, reviewed) if part)
