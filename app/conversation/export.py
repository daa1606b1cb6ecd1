"""A conversation as Markdown, for the person whose it is."""

from __future__ import annotations

from collections.abc import Iterator

from app.conversation.turns import Answer, Conversation, Turn
from app.conversation.wording import ENDINGS, from_reference
from app.knowledge.passage import Passage
from app.sanitise import clean, one_line

_NO_ANSWER = "*(no answer of the model)*"
_NO_SOURCES = "Sources: none; this rests on the model alone."
_LONGEST_NOTE = 1000


def to_markdown(conversation: Conversation, model: str, demonstration: str, notice: str) -> str:
    """The whole conversation: red flags, every version of every answer, sources, notices.

    Args:
        conversation: what to export.
        model: the model's name.
        demonstration: the demonstration sentence, empty where the model is none.
        notice: the line that the screen always shows.
    """
    head = ["# Bedside conversation", f"Model: {one_line(model)}", notice]
    turns = (_turn(turn, passage_first=bool(demonstration)) for turn in conversation.turns)
    parts = [*head, demonstration, *turns]
    return "\n\n".join(part for part in parts if part) + "\n"


def _turn(turn: Turn, *, passage_first: bool) -> str:
    question = "\n".join(f"> {line}" for line in clean(turn.question).splitlines())
    first = [from_reference(one) for one in turn.passages[:passage_first]]
    parts = [*_alerts(turn), *first, *_answers(turn), *_sources(turn)]
    return "\n\n".join(["## Question", question, *parts])


def _alerts(turn: Turn) -> Iterator[str]:
    """What stood above the answer stands above it here."""
    for alert in turn.alerts:
        yield f"**! {one_line(alert, _LONGEST_NOTE)}**"
    if turn.alerts and not turn.answers:
        yield _NO_ANSWER


def _answers(turn: Turn) -> list[str]:
    answers = [_answer(answer) for answer in turn.answers]
    if len(answers) > 1:
        return [f"**Answer {n}**\n\n{text}" for n, text in enumerate(answers, start=1)]
    return answers


def _answer(answer: Answer) -> str:
    remarks = (f"*Note:* {one_line(remark, _LONGEST_NOTE)}" for remark in answer.remarks)
    ending = ENDINGS[answer.reason]
    parts = [clean(answer.text).strip(), ending and f"*({ending})*", *remarks]
    return "\n\n".join(filter(None, parts))


def _sources(turn: Turn) -> Iterator[str]:
    """What all answers of the turn lean on, by the numbers that they cite."""
    if not any(answer.text for answer in turn.answers):
        return
    sources = [f"{number}. {_source(one)}" for number, one in enumerate(turn.passages, start=1)]
    yield "\n".join(["Sources:", "", *sources]) if sources else _NO_SOURCES


def _source(passage: Passage) -> str:
    """Title, source, date and address, as far as they are known."""
    parts = [passage.title, passage.source, passage.date or "date not known", passage.url]
    return ", ".join(one_line(part, 400) for part in parts if part)
