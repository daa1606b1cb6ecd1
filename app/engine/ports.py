"""The engine as the rooms above know it, and what its failures are to a command."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from app.engine.messages import Event, Failed, Load, Message, Sampling, Warmed
from app.errors import BadInputError, BedsideError, EngineError, ResourceError

_KINDS = {"bad_model": BadInputError, "memory": ResourceError, "context": BadInputError}


class Engine(Protocol):
    """What of the engine's client is used, whoever stands between."""

    def load(self, load: Load) -> AsyncGenerator[Event, None]: ...

    async def warm(self, messages: Sequence[Message]) -> Warmed | Failed: ...

    def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]: ...

    async def count(self, messages: Sequence[Message]) -> int: ...

    async def reset(self) -> None: ...

    async def cancel(self) -> None: ...

    async def close(self) -> None: ...


def failure(failed: Failed) -> BedsideError:
    """The error that an engine's failure is for a command, with its exit code."""
    return _KINDS.get(failed.code, EngineError)(failed.sentence)
