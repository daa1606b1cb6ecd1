"""The engine's model, brought to where questions are welcome."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from app.assistant.events import Failed, Loaded, Loading, Notice, PrepareEvent, Ready
from app.assistant.notices import SYSTEM_PROMPT
from app.assistant.ports import Usage
from app.assistant.progress import told
from app.engine.messages import Load, Message
from app.engine.ports import Engine
from app.sanitise import one_line


class Model:
    """Which model is to answer, and what is known of it once it is loaded."""

    def __init__(self, engine: Engine, load: Load, advise_on_memory: Callable[[int], str]) -> None:
        """`advise_on_memory` says, as a sentence, what to do when so many bytes do not suffice."""
        self.loaded: Loaded | None = None
        self.fixed = Usage()
        """What the fixed prompt alone takes of the context."""
        self._engine, self._load, self._advise = engine, load, advise_on_memory

    async def prepare(self) -> AsyncGenerator[PrepareEvent, None]:
        """Load it and let it read the fixed prompt; ends with Ready or Failed."""
        async with aclosing(self._engine.load(self._load)) as events:
            async for event in events:
                if isinstance(event, Failed):
                    yield self._with_advice(told(event))
                    return
                if isinstance(event, Loaded):
                    event = self.loaded = replace(event, name=one_line(event.name))
                if isinstance(event, Loading | Loaded):
                    yield event
        assert self.loaded is not None
        wanted = min(self._load.settings.context, self.loaded.trained_context)
        if self.loaded.context < wanted:
            yield Notice(
                f"Memory allows a context of {self.loaded.context} tokens instead of {wanted}."
            )
        warmed = await self._engine.warm([Message("system", SYSTEM_PROMPT)])
        if isinstance(warmed, Failed):
            yield told(warmed)
            return
        self.fixed = Usage(warmed.tokens, self.loaded.context)
        yield Ready(self.loaded)

    def _with_advice(self, failed: Failed) -> Failed:
        if failed.code != "memory":
            return failed
        advice = self._advise(failed.detail["available"])
        return replace(failed, sentence=f"{failed.sentence} {advice}".strip())
