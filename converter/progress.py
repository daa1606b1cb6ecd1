"""How a long piece of work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Advance = Callable[[int, int], None]
"""Told how much is done, and of how much, in whatever the work counts."""
