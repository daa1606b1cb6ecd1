"""Sentences that the screens show by themselves, whatever the model says."""

from __future__ import annotations

from collections.abc import Iterator

from app.assistant.events import Support
from app.errors import BedsideError
from app.sanitise import one_line

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


def without_reference(error: BedsideError) -> str:
    """Of a question that is answered without passages."""
    return f"The reference could not be asked. {error}"


def too_long(context: int) -> str:
    """Of a question that does not fit."""
    return (
        f"The question is too long for this model, which reads {context} tokens at most, with the "
        "answer. Shorten it and send it again."
    )


def unsupported(support: Support) -> str:
    """How many sentences of an answer its sources do not hold; empty where they hold them all."""
    missing, count = len(support.unsupported), support.sentences
    if not missing:
        return ""
    are = "is" if missing == 1 else "are"
    sentences = "sentence" if count == 1 else "sentences"
    return f"{missing} of {count} {sentences} {are} not in the sources"


def remarks_on(support: Support) -> Iterator[str]:
    """All of it, where no key shows more: in the plain chat and in what is kept."""
    if said := unsupported(support):
        yield f"{said}."
    yield from doses_to_check(support)


def doses_to_check(support: Support) -> Iterator[str]:
    """The sentences with an amount that no source holds, each with what to do about it."""
    return (f"Check with a pharmacist: “{one_line(dose)}”" for dose in support.doses)


def forgetting(count: int) -> str:
    """Of turns that leave the model's memory."""
    turns = "question and its answer" if count == 1 else f"{count} questions and their answers"
    return (
        f"The oldest {turns} no longer fit into the model's memory: it has forgotten them. "
        "They stay on the screen."
    )
