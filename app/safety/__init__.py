"""Red flags: a pure function from what a person wrote to an alert or none, run before the model."""

from __future__ import annotations

from app.safety.cards import Card, card, clinician_line
from app.safety.check import Alert, RedFlags, worse_of
from app.safety.rules import Complaint, Level, Mode, Question, Rule, Rulebook

__all__ = [
    "Alert",
    "Card",
    "Complaint",
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
