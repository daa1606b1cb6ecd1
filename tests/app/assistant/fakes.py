"""An engine that is a script: it answers with what it is given and notes what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from app.engine.messages import (
    Event,
    Failed,
    Finished,
    Load,
    Loaded,
    Loading,
    Message,
    Prefill,
    Sampling,
    Text,
    Warmed,
)
from app.errors import EngineError

LOADED = Loaded(
    name="fake",
    architecture="llama",
    parameters=1,
    bytes=1,
    census={"F32": 1},
    trained_context=1024,
    context=512,
    template="file",
    system_info="",
    llama_cpp="0",
    extra_buffers=False,
)
FINISHED = Finished(
    reason="stop",
    prompt_tokens=30,
    reused=10,
    evaluated=20,
    generated=3,
    prefill_s=0.1,
    decode_s=0.2,
    resident_bytes=1,
)
DIED = Failed("died", "The engine was killed from outside.")


class FakeEngine:
    """`app.assistant.assistant.Engine`, without a process."""

    def __init__(self) -> None:
        self.loading: list[Event] = [Loading(0.5), LOADED]
        self.warmed: Warmed | Failed = Warmed(12, False, 0.1)
        self.answer: list[Event] = [Prefill(0, 20, 10), Text("Yes.", 1), FINISHED]
        self.asked: list[tuple[list[Message], Sampling]] = []
        self.tokens_per_character = 0.0
        self.counting_fails = ""
        self.counting = asyncio.Event()
        self.counting.set()
        self.answering = asyncio.Event()
        self.answering.set()
        self.cancels = self.resets = self.counts = 0
        self._generating = self._cancelled = False
        self.closed = False

    async def load(self, load: Load) -> AsyncGenerator[Event, None]:
        for event in self.loading:
            yield event

    async def warm(self, messages: Sequence[Message]) -> Warmed | Failed:
        return self.warmed

    async def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]:
        self.asked.append((list(messages), sampling))
        self._generating, self._cancelled = True, False
        try:
            for event in self.answer:
                if self._cancelled:
                    yield replace(FINISHED, reason="cancelled")
                    return
                yield event
                await self.answering.wait()
        finally:
            self._generating = False

    async def count(self, messages: Sequence[Message]) -> int:
        self.counts += 1
        await self.counting.wait()
        if self.counting_fails:
            raise EngineError(self.counting_fails)
        return 10 + int(self.tokens_per_character * sum(len(one.content) for one in messages[1:]))

    async def reset(self) -> None:
        self.resets += 1

    async def cancel(self) -> None:
        """As the engine does it: what does not run yet is not ended."""
        self.cancels += 1
        if self._generating:
            self._cancelled = True
            self.answering.set()

    async def close(self) -> None:
        self.closed = True
