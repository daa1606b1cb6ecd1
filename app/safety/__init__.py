"""Red flags: a pure function from what a person wrote to an alert or none, run before the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.safety.cards import Card, card, clinician_line
from app.safety.rules import Complaint, Level, Mode, Question, Rule, Rulebook

if TYPE_CHECKING:
    from app.safety.check import Alert, Finding, RedFlags, worse_of

__all__ = [
    "Alert",
    "Card",
    "Complaint",
    "Finding",
    "Level",
    "Mode",
    "Question",
    "RedFlags",
    "Rule",
    "Rulebook",
    "card",
    "clinician_line",
    "worse_of",
]


def __getattr__(name: str) -> object:
    """The check, loaded when it is first used: a screen paints thirty milliseconds sooner."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from app.safety import check

    return getattr(check, name)
