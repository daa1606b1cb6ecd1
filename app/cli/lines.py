"""A turn in lines of text, for `ask` and the plain chat: what the screen draws, said in words."""

from __future__ import annotations

from collections.abc import Iterator

from app.assistant.events import Alert, Asked, Passages, Support
from app.knowledge.passage import Passage
from app.sanitise import clean, one_line


def alert_lines(alert: Alert) -> Iterator[str]:
    """The card, or the one line for a clinician."""
    if not alert.patient:
        yield alert.line
        return
    card = alert.card
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


def from_reference(passage: Passage) -> str:
    """The passage itself, where the model is only a demonstration."""
    title, text = one_line(passage.title), clean(passage.text)
    return f"From the reference: {title}\n\n{text}\n\nThe model's own words:\n"


def support_lines(support: Support) -> Iterator[str]:
    """How far the answer stands in its sources."""
    if support.unsupported:
        count = len(support.unsupported)
        yield f"{count} of {support.sentences} sentences are not in the sources."
    for sentence in support.doses:
        yield f"Check with a pharmacist: “{one_line(sentence)}”"


def asked_lines(asked: Asked) -> Iterator[str]:
    """The questions after a complaint; the answer may be typed in any words."""
    yield "If one of these is so, say it now:"
    yield from (f"- {question.ask}" for question in asked.questions)


def _named(passage: Passage) -> str:
    parts = [passage.title, passage.source, passage.url, passage.date]
    reviewed = "reviewed by no clinician" if passage.reviewed_by == "none" else ""
    return " · ".join(one_line(part) for part in (*parts, reviewed) if part)
