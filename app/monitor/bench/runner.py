"""Runs a bench over the engine's own process: the same code that answers in the chat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from app.engine.messages import (
    EngineSettings,
    Failed,
    Finished,
    Load,
    Loaded,
    Message,
    Sampling,
    Text,
)
from app.engine.ports import Engine, failure
from app.errors import BadInputError, EngineError, ResourceError
from app.monitor import energy
from app.monitor.bench.bandwidth import Bandwidth
from app.monitor.bench.plan import Plan
from app.monitor.bench.row import Facts, Row, make_row
from app.monitor.reading import Reading
from app.monitor.recorder import RunRecorder
from app.monitor.runlog import MemoryFacts, TurnRecord
from app.monitor.sampler import Sampler

SETTLE_S = 2.0
"""Between loading and the measuring of idle: what the loading heated and queued goes down."""
IDLE_S = 5.0
_WORDS = "The patient asks how long the fever may last and when the doctor should be called. "

Tell = Callable[[str], None]
MakeRecorder = Callable[[], RunRecorder | None]


@dataclass(slots=True)
class Runner:
    """Measures a plan's rows, one after the other. Belongs to one event loop."""

    engine: Engine
    load: Load
    sampler: Sampler
    bandwidth: Bandwidth
    bytes_per_token: int | None
    recorder: MakeRecorder
    """Makes the log of one setting's run; None logs nothing."""
    tell: Tell
    """Gets a line about what is being done."""
    idle_s: float = IDLE_S
    settle_s: float = SETTLE_S
    loaded: Loaded | None = None
    load_s: float = 0.0
    """Of the first load."""
    _readings: list[Reading] = field(default_factory=list)

    async def rows(self, plan: Plan) -> AsyncGenerator[Row, None]:
        """Each row as soon as it is measured. Raises what the engine failed with."""
        self.sampler.listen(self._readings.append)
        try:
            for settings in plan.settings(self.load.settings):
                async with aclosing(self._setting(plan, settings)) as rows:
                    async for row in rows:
                        yield row
        finally:
            self.sampler.ignore(self._readings.append)

    async def _setting(self, plan: Plan, settings: EngineSettings) -> AsyncGenerator[Row, None]:
        loaded = await self._load(settings)
        idle_w = await self._idle()
        recorder = self.recorder()
        if recorder is not None:
            threads = settings.decode_threads, settings.prefill_threads
            sha256, memory = self.load.model_sha256, self._memory()
            recorder.start(loaded, sha256, threads[0], self.sampler, threads[1], idle_w, memory)
        try:
            facts = Facts(settings, idle_w, self.bandwidth, self.bytes_per_token)
            for prompt, answer in plan.lengths:
                yield await self._row(facts, recorder, prompt, answer, plan.repeats)
        finally:
            if recorder is not None:
                recorder.end("bench")

    def _memory(self) -> MemoryFacts | None:
        if self.bytes_per_token is None:
            return None
        return MemoryFacts(self.bandwidth.bytes_per_s, self.bytes_per_token)

    async def _row(
        self, facts: Facts, recorder: RunRecorder | None, prompt: int, answer: int, repeats: int
    ) -> Row:
        messages = await self._messages(prompt)
        self.tell(f"prompt {prompt}, answer {answer}: warming up")
        await self._turn(messages, answer)
        await self._next_reading(time.monotonic())
        before = self.sampler.latest()
        first = len(self._readings) - 1
        asked: list[TurnRecord] = []
        for number in range(1, repeats + 1):
            self.tell(f"prompt {prompt}, answer {answer}: {number} of {repeats}")
            turn, finished = await self._turn(messages, answer)
            asked.append(turn)
            if recorder is not None:
                first_at = None if turn.ttft_s is None else turn.t0 + turn.ttft_s
                recorder.turn_finished(finished, turn.t0, first_at, turn.t1)
        await self._next_reading(asked[-1].t1)
        after = self.sampler.latest()
        readings = self._readings[max(0, first) :]
        powers = [(reading.at, reading.power_w) for reading in readings]
        gap = max(energy.LONGEST_GAP_S, 3 * self.sampler.interval_s)
        turns = [energy.of_turn(turn, powers, gap)[0] for turn in asked]
        inside = [one for one in readings if turns[0].t0 <= one.at <= turns[-1].t1]
        return make_row(facts, turns, inside, before, after)

    async def _turn(self, messages: Sequence[Message], answer: int) -> tuple[TurnRecord, Finished]:
        """One answer from an empty cache; its times on the monotonic clock."""
        await self.engine.reset()
        sampling = Sampling(
            temperature=1.0, max_tokens=answer, guard_repetition=False, stop_at_end=False
        )
        began, first_at = time.monotonic(), None
        finished: Finished | None = None
        async with aclosing(self.engine.generate(messages, sampling)) as events:
            async for event in events:
                if isinstance(event, Text) and first_at is None:
                    first_at = time.monotonic()
                elif isinstance(event, Failed):
                    raise failure(event)
                elif isinstance(event, Finished):
                    finished = event
        ended = time.monotonic()
        if finished is None:
            raise EngineError("The engine ended an answer without saying so.")
        return energy.unmeasured(finished, began, first_at, ended), finished

    async def _load(self, settings: EngineSettings) -> Loaded:
        self.tell(f"loading: {describe(settings)}")
        began = time.monotonic()
        load = replace(self.load, settings=settings)
        loaded: Loaded | None = None
        async with aclosing(self.engine.load(load)) as events:
            async for event in events:
                if isinstance(event, Failed):
                    raise failure(event)
                if isinstance(event, Loaded):
                    loaded = event
        if loaded is None:
            raise EngineError("The engine did not load the model.")
        if self.loaded is None:
            self.loaded, self.load_s = loaded, time.monotonic() - began
        if loaded.context < settings.context:
            raise ResourceError(
                f"Prompt and answer need {settings.context} tokens of context and there are "
                f"{loaded.context}. Choose shorter ones."
            )
        return loaded

    async def _idle(self) -> float | None:
        """The mean power while nothing is done; None where it cannot be read."""
        self.tell("measuring idle power")
        await asyncio.sleep(self.settle_s)
        began = time.monotonic()
        await asyncio.sleep(self.idle_s)
        watts = [one.power_w for one in self._readings if one.at >= began]
        known = [one for one in watts if one is not None]
        return sum(known) / len(known) if len(known) >= 2 else None

    async def _messages(self, tokens: int) -> list[Message]:
        """A question that is as many tokens with its template, or the next fewer that words make.

        Raises:
            BadInputError: the template alone is longer.
        """

        def ask(words: int) -> list[Message]:
            text = (_WORDS * (words // 16 + 1)).split()[:words]
            return [Message("user", " ".join(text))]

        low, high = 0, tokens
        if await self.engine.count(ask(0)) > tokens:
            raise BadInputError(f"The chat template alone is longer than {tokens} tokens.")
        while low < high:
            middle = (low + high + 1) // 2
            fits = await self.engine.count(ask(middle)) <= tokens
            low, high = (middle, high) if fits else (low, middle - 1)
        return ask(low)

    async def _next_reading(self, at: float) -> None:
        """Wait until there is a reading later than that, so that it is spanned."""
        limit = time.monotonic() + 5 * self.sampler.interval_s + 2.0
        while self.sampler.latest().at < at and time.monotonic() < limit:
            await asyncio.sleep(self.sampler.interval_s / 4)


def describe(settings: EngineSettings) -> str:
    """The settings that a row may differ in, in words."""
    return (
        f"{settings.decode_threads}/{settings.prefill_threads} threads (decode/prefill), "
        f"keys {settings.key_type}, values {settings.value_type}"
    )
