"""How the doctor names a change that the board's own script makes, and takes back."""

from __future__ import annotations

SCRIPT = "/opt/bedside/current/units/privacy/offers.sh"


def offer(name: str) -> str:
    """The command that takes an offer, without a full stop."""
    return f"`sudo sh {SCRIPT} apply {name}` changes that"
