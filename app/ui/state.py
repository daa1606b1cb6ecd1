"""What the chat is doing, as one value; status line, keys and palette follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """Where the chat stands; the value is what the status line says."""

    LOADING = "loading"
    READY = "ready"
    WAITING = "waiting for the model"
    READING = "reading"
    ANSWERING = "answering"
    STOPPING = "stopping"
    FAILED = "no model"


BUSY = frozenset({Phase.WAITING, Phase.READING, Phase.ANSWERING, Phase.STOPPING})
"""A turn is under way."""


@dataclass(frozen=True, slots=True)
class ChatState:
    """What decides which commands make sense now."""

    phase: Phase = Phase.LOADING
    turns: int = 0
    """Questions on the screen or above it."""
    answer: bool = False
    """The last question has an answer with words in it."""
    versions: int = 0
    """Answers that the last question has."""
    earlier: int = 0
    """Questions that are not drawn, to keep the screen quick."""
    following: bool = True
    """The transcript is at its end and stays there."""

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self.phase in BUSY
