"""Words about an answer that the screen, the plain chat and an export share."""

from __future__ import annotations

from app.conversation.turns import Ending
from app.knowledge.passage import Passage
from app.sanitise import clean, one_line

ENDINGS: dict[Ending, str] = {
    "stop": "",
    "length": "The answer was cut: it reached the longest length that is set.",
    "cancelled": "You stopped the answer.",
    "repetition": "The answer was ended: the model began to repeat itself.",
    "failed": "The answer broke off: the engine failed.",
}
"""What stands below an answer, by how it ended; empty where it simply did."""

MODELS_WORDS = "The model's own words:"
"""Stands between a passage in the place of an answer and what the model says."""


def reference_heading(passage: Passage) -> str:
    """Stands above a passage in the place of an answer."""
    return f"From the reference: {one_line(passage.title)}"


def from_reference(passage: Passage) -> str:
    """The passage in the place of the answer, as a demonstration model has it; the model's own
    words follow."""
    text = clean(passage.text).strip()
    return f"{reference_heading(passage)}\n\n{text}\n\n{MODELS_WORDS}"
