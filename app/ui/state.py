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
    card: bool = False
    """A card is open and has not been acknowledged."""
    question: bool = False
    """A yes/no question waits for an answer."""
    sources: int = 0
    """Passages that the last answer leans on."""
    unsupported: bool = False
    """The last answer has sentences that are not in its sources."""
    can_keep: bool = False
    """The conversation can be kept and is not."""
    kiosk: bool = False
    """Strangers share this screen: nothing of the last one stays, and nobody leaves the chat."""
    lockable: bool = False
    """The kiosk has a PIN."""

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self.phase in BUSY
