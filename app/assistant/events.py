"""What the assistant tells its screens. The engine's own events pass where they say enough."""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.messages import Failed, Finished, Loaded, Loading, Prefill, Text
from app.knowledge.passage import Passage
from app.safety import Card, Question

__all__ = [
    "Alert",
    "Answered",
    "Asked",
    "Failed",
    "Finished",
    "Held",
    "Loaded",
    "Loading",
    "Notice",
    "Passages",
    "Prefill",
    "PrepareEvent",
    "Ready",
    "Support",
    "Text",
    "TurnEvent",
]


@dataclass(frozen=True, slots=True)
class Alert:
    """A red flag, before anything of the model; it stays for the session. A second one may follow
    it: an emergency that is a crisis too."""

    card: Card
    line: str
    """What a clinician sees instead of the card."""
    patient: bool
    """False: only the line is to be shown."""

    @property
    def noted(self) -> str:
        """It as one line, as its reader sees it once the card is folded."""
        return self.card.folded if self.patient else self.line


@dataclass(frozen=True, slots=True)
class Passages:
    """What the reference holds on the question; empty: the answer rests on the model alone."""

    found: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """How far an answer stands in its passages, by a lexical check."""

    sentences: int
    unsupported: tuple[str, ...]
    """Sentences that are not in the passages."""
    doses: tuple[str, ...]
    """Sentences with an amount of a medicine that is in no passage."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Fixed yes/no questions about a complaint: offered once, never in the way. They stand before
    those that were offered earlier."""

    id: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """Some of the questions that stood need no answer any more: the person has just told it."""

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """The turn's last event where the card stands alone: the model was not asked."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the person should know, in one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded and has read the fixed prompt: questions are welcome."""

    model: Loaded


PrepareEvent = Loading | Loaded | Notice | Ready | Failed
TurnEvent = (
    Alert | Answered | Passages | Notice | Prefill | Text | Support | Asked
    | Finished | Failed | Held
)  # fmt: skip
"""A turn's stream ends with one Finished, one Failed or one Held."""
