"""Checks of the machine, each with what was found and what to do about it.

A check takes all it looks at as arguments, so that fixtures of one machine are checked on another.
"""

from __future__ import annotations

from app.doctor.card import Page, card
from app.doctor.check import Check, State
from app.doctor.report import as_json, lines, verdict

__all__ = ["Check", "Page", "State", "as_json", "card", "lines", "verdict"]
