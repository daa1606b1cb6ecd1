"""The assistant: from a question to the stream of events that every screen reads.

The chat, `ask`, the plain chat and the kiosk all come through here, so that what must happen at
every turn (text made plain, the context kept, the counts handed to the monitor) happens once.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from app.assistant.events import (
    Failed,
    Finished,
    Loaded,
    Loading,
    Notice,
    PrepareEvent,
    Ready,
    TurnEvent,
)
from app.assistant.notices import SYSTEM_PROMPT
from app.assistant.progress import AnswerInProgress
from app.conversation.budget import Budget, fit
from app.conversation.turns import Conversation, Turn
from app.engine.messages import Event, Load, Message, Sampling, Warmed
from app.errors import EngineError, UsageError
from app.sanitise import clean

_MOST_CHARACTERS_PER_TOKEN = 16
"""A question with more characters than this times the context cannot fit, and is not tokenised."""


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


class Assistant:
    """One model and one conversation. Turns come one at a time."""

    def __init__(
        self,
        engine: Engine,
        load: Load,
        *,
        sampling: Sampling | None = None,
        demonstration: bool = False,
        listener: TurnListener | None = None,
        advise_on_memory: Callable[[int], str] = lambda _available: "",
    ) -> None:
        """Nothing is started before `prepare`.

        Args:
            engine: the engine's client.
            load: which model, and how.
            sampling: how tokens are chosen.
            demonstration: the catalogue calls the model one; every answer is then marked.
            listener: learns the counts and times of each turn.
            advise_on_memory: what to do when so many bytes do not suffice, as a sentence.
        """
        self.demonstration = demonstration
        self.conversation = Conversation()
        self.model: Loaded | None = None
        self.usage = Usage()
        self._engine, self._load = engine, load
        self._sampling = sampling or Sampling()
        self._listener = listener
        self._advise_on_memory = advise_on_memory
        self._answering = self._stopping = False

    async def prepare(self) -> AsyncGenerator[PrepareEvent, None]:
        """Load the model and let it read the fixed prompt; ends with Ready or Failed."""
        async with aclosing(self._engine.load(self._load)) as events:
            async for event in events:
                if isinstance(event, Failed):
                    yield self._with_advice(event)
                    return
                if isinstance(event, Loading | Loaded):
                    yield event
                if isinstance(event, Loaded):
                    self.model = event
                    if self._listener is not None:
                        self._listener.model_loaded(event)
        assert self.model is not None
        wanted = min(self._load.settings.context, self.model.trained_context)
        if self.model.context < wanted:
            yield Notice(
                f"Memory allows a context of {self.model.context} tokens instead of {wanted}."
            )
        warmed = await self._engine.warm([Message("system", SYSTEM_PROMPT)])
        if isinstance(warmed, Failed):
            yield warmed
            return
        self._fixed_tokens = warmed.tokens
        self.usage = Usage(warmed.tokens, self.model.context)
        yield Ready(self.model)

    def ask(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """Answer a question. The stream raises UsageError while another one runs."""
        return self._turn(lambda: self.conversation.ask(clean(question)))

    def resend(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """Ask the last question in other words; the model forgets the earlier wording.

        Where the new wording is refused, the earlier turn stays.
        """
        earlier: list[Turn] = []

        def replace_last() -> None:
            earlier.append(self.conversation.take_back())
            self.conversation.ask(clean(question))

        def keep_earlier() -> None:
            self.conversation.take_back()
            self.conversation.put_back(earlier.pop())

        return self._turn(replace_last, keep_earlier)

    def regenerate(self) -> AsyncGenerator[TurnEvent, None]:
        """Answer the last question once more; the earlier answer is kept beside it."""
        return self._turn(lambda: None)

    async def stop(self) -> None:
        """End the running answer; its stream then ends with Finished."""
        if self._answering:
            self._stopping = True
            await self._engine.cancel()

    async def new_conversation(self) -> None:
        """Forget this conversation, here and in the engine. Raises EngineError, UsageError."""
        with self._alone():
            self.conversation.clear()
            await self._engine.reset()
            self.usage = Usage(self._fixed_tokens, self.usage.context)

    async def close(self) -> None:
        """End the engine."""
        await self._engine.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Turns do not overlap."""
        if self._answering:
            raise UsageError("An answer is still being written. Stop it first.")
        self._answering, self._stopping = True, False
        try:
            yield
        finally:
            self._answering = False

    async def _turn(
        self, begin: Callable[[], None], undo: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[TurnEvent, None]:
        """One turn, from the question's place in the conversation to the last event."""
        with self._alone():
            begin()
            before = self.conversation.forgotten
            refused = await self._make_room()
            if refused is not None:
                undo()
                yield refused
                return
            if self.conversation.forgotten > before:
                yield Notice(_forgetting(self.conversation.forgotten - before))
            async with aclosing(self._stream()) as events:
                async for event in events:
                    yield event

    async def _stream(self) -> AsyncGenerator[TurnEvent, None]:
        """The engine's answer, noted in the conversation however it ends."""
        progress = AnswerInProgress()
        messages = self.conversation.messages(SYSTEM_PROMPT)
        earlier = len(self.conversation.last.answers)  # the same seed would say the same again
        sampling = replace(self._sampling, seed=self._sampling.seed + earlier)
        try:
            async with aclosing(self._engine.generate(messages, sampling)) as events:
                async for event in events:
                    if self._stopping:  # asked before the engine had the question, it was lost
                        self._stopping = False
                        await self._engine.cancel()
                    shown = progress.take(event)
                    if progress.last is not None:
                        self._note(progress)
                    for one in shown:
                        yield one
        finally:
            if progress.last is None:  # whoever read the stream went away
                self._note(progress)

    def _note(self, progress: AnswerInProgress) -> None:
        """Keep the answer and the counts; before the screen learns of the end."""
        last, answer = progress.last, progress.answer
        if answer.text or answer.reason != "failed":
            self.conversation.add_answer(answer)
        if isinstance(last, Finished):
            self.usage = Usage(last.prompt_tokens + last.generated, self.usage.context)
            if self._listener is not None:
                self._listener.turn_finished(
                    last, progress.asked_at, progress.first_text_at, time.monotonic()
                )

    async def _make_room(self) -> Failed | None:
        """Let old turns leave where the context is full. Failed where the question is too long."""
        context = self.usage.context
        question = self.conversation.last.question
        if len(question) > context * _MOST_CHARACTERS_PER_TOKEN:
            return _too_long(context)
        turns = len(self.conversation.turns)
        try:
            fitting = await fit(self._count, turns, self.conversation.forgotten, Budget(context))
        except EngineError as error:
            return Failed("internal", str(error))
        if fitting is None:
            return _too_long(context)
        self.conversation.forget_through(fitting.forgotten)
        return None

    async def _count(self, forgotten: int) -> int:
        return await self._engine.count(self.conversation.messages(SYSTEM_PROMPT, forgotten))

    def _with_advice(self, failed: Failed) -> Failed:
        if failed.code != "memory":
            return failed
        advice = self._advise_on_memory(failed.detail["available"])
        return replace(failed, sentence=f"{failed.sentence} {advice}".strip())


def _too_long(context: int) -> Failed:
    sentence = f"The question is too long for this model, which reads {context} tokens at most"
    return Failed("context", f"{sentence}, with the answer. Shorten it and send it again.")


def _forgetting(count: int) -> str:
    turns = "question and its answer" if count == 1 else f"{count} questions and their answers"
    return (
        f"The oldest {turns} no longer fit into the model's memory: it has forgotten them. "
        "They stay on the screen."
    )
