"""What the assistant needs of the rooms around it, and what it tells them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.assistant.events import Failed, Finished, Loaded
from app.engine.messages import Event, Load, Message, Sampling, Warmed


class Engine(Protocol):
    """What of the engine's client the assistant uses."""

    def load(self, load: Load) -> AsyncGenerator[Event, None]: ...

    async def warm(self, messages: Sequence[Message]) -> Warmed | Failed: ...

    def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]: ...

    async def count(self, messages: Sequence[Message]) -> int: ...

    async def reset(self) -> None: ...

    async def cancel(self) -> None: ...

    async def close(self) -> None: ...


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
