"""Between the assistant and the engine: watches what the engine does and keeps its power budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from app.engine.messages import (
    Event,
    Failed,
    Load,
    Message,
    Prefill,
    Sampling,
    Text,
    Warmed,
)
from app.engine.ports import Engine
from app.monitor.governor import Governor, Pace, Phase, Work, describe
from app.monitor.reading import Reading

READ_EVERY_S = 0.5
"""Readings of a paced engine: ten of them make the budget's mean."""


class Steered(Engine, Protocol):
    """An engine that can be slowed."""

    async def set_pace(self, threads: int, duty: float = 1.0) -> None: ...


class PacedEngine:
    """An engine whose pace follows the power. Give `on_reading` to the sampler.

    Readings come in the sampler's thread, requests in the event loop; both only exchange whole
    values (a phase, a count, a pace), and a new pace is sent from the loop.
    """

    def __init__(self, engine: Steered, governor: Governor) -> None:
        self._engine, self._governor = engine, governor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._phase: Phase = "idle"
        self._tokens = 0
        self._sent: Pace | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._line = f"{governor.budget_w:.2f} W: nothing read yet"

    @property
    def line(self) -> str:
        """The budget, how it is held and what it costs."""
        return self._line

    def on_reading(self, reading: Reading) -> None:
        """Control by one reading. Called in the sampler's thread."""
        governor = self._governor
        pace = governor.observe(reading.at, reading.power_w, Work(self._phase, self._tokens))
        self._line = self._described(reading)
        if pace == self._sent or self._loop is None or self._loop.is_closed():
            return
        self._sent = pace
        self._loop.call_soon_threadsafe(self._send, pace)

    def load(self, load: Load) -> AsyncGenerator[Event, None]:
        """As the client's."""
        self._sent = None  # a model that is loaded decodes with its own threads
        return self._watched(self._engine.load(load))

    async def warm(self, messages: Sequence[Message]) -> Warmed | Failed:
        """As the client's."""
        self._begin("prefill")
        try:
            return await self._engine.warm(messages)
        finally:
            self._phase = "idle"

    def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]:
        """As the client's."""
        return self._watched(self._engine.generate(messages, sampling))

    async def count(self, messages: Sequence[Message]) -> int:
        """As the client's."""
        return await self._engine.count(messages)

    async def reset(self) -> None:
        """As the client's."""
        await self._engine.reset()

    async def cancel(self) -> None:
        """As the client's."""
        await self._engine.cancel()

    async def close(self) -> None:
        """As the client's."""
        self._loop = None
        await self._engine.close()

    async def _watched(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """The events, while noting what the engine does."""
        before = self._tokens
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, Prefill):
                        self._begin("prefill" if event.done < event.total else "decode")
                    elif isinstance(event, Text):
                        self._begin("decode")
                        self._tokens = before + event.tokens
                    yield event
        finally:
            self._phase = "idle"

    def _begin(self, phase: Phase) -> None:
        self._phase = phase
        self._loop = asyncio.get_running_loop()

    def _send(self, pace: Pace) -> None:
        task = asyncio.get_running_loop().create_task(
            self._engine.set_pace(pace.threads, pace.duty)
        )
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _described(self, reading: Reading) -> str:
        if reading.power_source is None and reading.power_w is None:
            reason = reading.unavailable.get("power_w", "there is no power reading")
            return f"{self._governor.budget_w:.2f} W: no control, because {reason}"
        return describe(self._governor, reading.power_source or "power", reading.at)
