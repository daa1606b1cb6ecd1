"""What the assistant tells its screens. The engine's own events pass where they say enough."""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.messages import Failed, Finished, Loaded, Loading, Prefill, Text

__all__ = [
    "Failed",
    "Finished",
    "Loaded",
    "Loading",
    "Notice",
    "Prefill",
    "PrepareEvent",
    "Ready",
    "Text",
    "TurnEvent",
]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the person should know, in one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded and has read the fixed prompt: questions are welcome."""

    model: Loaded


PrepareEvent = Loading | Loaded | Notice | Ready | Failed
TurnEvent = Notice | Prefill | Text | Finished | Failed
"""A turn's stream ends with one Finished or one Failed."""
