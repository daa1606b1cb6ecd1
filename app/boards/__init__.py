"""Which board this is, and how the engine is best set up on it."""

from __future__ import annotations

from app.boards.detect import Board, detect
from app.boards.profiles import PROFILES, Profile, profile

__all__ = ["PROFILES", "Board", "Profile", "detect", "profile"]
