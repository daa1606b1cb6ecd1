"""The outcome of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "attention", "not checked"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, or could not be: that is `not checked`, and never green."""

    id: str
    state: State
    found: str
    """What there is, in a sentence; for `not checked` why it was not."""
    advice: str = ""
    """What to do, in a sentence; empty where nothing needs to be done."""
    essential: bool = False
    """Without it Bedside does not work here; `attention` then ends the command with exit code 6."""


def ok(check_id: str, found: str) -> Check:
    """Nothing needs to be done."""
    return Check(check_id, "ok", found)


def attention(check_id: str, found: str, advice: str = "", essential: bool = False) -> Check:
    """Something should be done."""
    return Check(check_id, "attention", found, advice, essential)


def not_checked(check_id: str, why: str, advice: str = "") -> Check:
    """It could not be told."""
    return Check(check_id, "not checked", why, advice)
