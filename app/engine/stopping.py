"""How a running request learns that it is to end."""

from __future__ import annotations


class Stopped(Exception):
    """The work was ended by a cancel. What it had evaluated so far is whole."""
