"""What somebody wants built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """One bundle."""

    board: str
    """As a manifest names it."""
    model: Path
    out: Path
    """The folder in which the bundle's folder and archive are to lie."""
    key: Path | None = None
    """OpenSSH's, to sign with; None takes one that is good for trying alone."""
    reference: Path | None = None
    """The reference's index, where there is one to carry."""
    version: str = ""
    """What it calls itself; empty takes the commit's own version."""
