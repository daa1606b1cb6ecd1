"""A conversation as Markdown, for the person whose it is."""

from __future__ import annotations

from app.conversation.turns import Answer, Conversation, Turn
from app.sanitise import clean, one_line

_MARKS = {
    "cancelled": "*(stopped)*",
    "length": "*(cut: the answer reached its longest)*",
    "repetition": "*(ended: the model had begun to repeat itself)*",
    "failed": "*(broken off: the engine failed)*",
}


def to_markdown(conversation: Conversation, model: str, demonstration: str, notice: str) -> str:
    """The whole conversation, every version of every answer, with the notices of the screen.

    Args:
        conversation: what to export.
        model: the model's name.
        demonstration: the demonstration sentence, empty where the model is none.
        notice: the line that the screen always shows.
    """
    head = ["# Bedside conversation", f"Model: {one_line(model)}", notice]
    parts = [*head, demonstration, *map(_turn, conversation.turns)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _turn(turn: Turn) -> str:
    question = "\n".join(f"> {line}" for line in clean(turn.question).splitlines())
    answers = [_answer(answer) for answer in turn.answers]
    if len(answers) > 1:
        answers = [f"**Answer {n}**\n\n{text}" for n, text in enumerate(answers, start=1)]
    return "\n\n".join(["## Question", question, *answers])


def _answer(answer: Answer) -> str:
    return "\n\n".join(filter(None, [clean(answer.text).strip(), _MARKS.get(answer.reason, "")]))
