"""What the assistant tells the rooms around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.assistant.events import Finished, Loaded


class TurnListener(Protocol):
    """Learns what each turn took: counts and times (monotonic seconds), never words."""

    def model_loaded(self, model: Loaded) -> None: ...

    def turn_finished(
        self, finished: Finished, asked_at: float, first_text_at: float | None, ended_at: float
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """How full the context is, in tokens."""

    tokens: int = 0
    context: int = 0
