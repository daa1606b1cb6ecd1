"""Sentences that the screens show by themselves, whatever the model says."""

from __future__ import annotations

DEMONSTRATION = "Demonstration model: do not rely on this."

SYSTEM_PROMPT = (
    "You are Bedside, a careful medical assistant. You give information, not a diagnosis."
)
"""The same bytes in every turn of every session, so that its state is computed once."""


def information_notice(emergency_number: str) -> str:
    """The line that is always on the screen.

    The number is the configuration's. It is never guessed from the locale: a wrong number is
    worse than none.
    """
    number = emergency_number.strip() or "your local emergency number"
    return f"Information, not a diagnosis. In an emergency call {number}."


def too_long(context: int) -> str:
    """Of a question that does not fit."""
    return (
        f"The question is too long for this model, which reads {context} tokens at most, with the "
        "answer. Shorten it and send it again."
    )


def forgetting(count: int) -> str:
    """Of turns that leave the model's memory."""
    turns = "question and its answer" if count == 1 else f"{count} questions and their answers"
    return (
        f"The oldest {turns} no longer fit into the model's memory: it has forgotten them. "
        "They stay on the screen."
    )
