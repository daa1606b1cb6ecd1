"""The app's side of the engine: requests as coroutines, answers as async streams of events.

One request runs at a time, as the engine does them. A process that dies becomes one Failed event
with the reason, is started again with the model and the fixed prompt it had, and the next request
finds it ready: the conversation travels with each request, so nothing of it is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

from app.engine.messages import (
    Cancel,
    Cleared,
    Count,
    Counted,
    Event,
    Failed,
    Finished,
    Generate,
    Load,
    Loaded,
    Message,
    Request,
    Reset,
    Sampling,
    SetPace,
    Warm,
    Warmed,
)
from app.engine.process import Died, EngineProcess, engine_command
from app.engine.remembered import crashed_before, remember_crash, this_machine
from app.errors import EngineError

_LAST_EVENTS = (Loaded, Warmed, Finished, Counted, Cleared, Failed)

Start = Callable[[], Awaitable[EngineProcess]]


class EngineClient:
    """Holds the engine's process. Belongs to one event loop."""

    def __init__(
        self,
        log_path: Path | None = None,
        findings: Path | None = None,
        llama_cpp: str = "",
        start: Start | None = None,
    ) -> None:
        """Nothing starts yet.

        Args:
            log_path: where the engine's own output goes; None throws it away.
            findings: the folder that remembers a crash of the extra buffers.
            llama_cpp: the library's version, for that memory.
            start: makes the process; tests give their own.
        """
        self._findings, self._llama_cpp = findings, llama_cpp
        self._start = start or (lambda: EngineProcess.start(engine_command(log_path)))
        self._process: EngineProcess | None = None
        self._turn = asyncio.Lock()
        self._load: Load | None = None
        self._warm: Warm | None = None
        self._pace: SetPace | None = None
        self._reviving: asyncio.Task[None] | None = None
        self._running: EngineProcess | None = None
        """The process while it does a request of ours; not while it is being made ready."""

    @property
    def pid(self) -> int | None:
        """The engine's process id, for whoever measures its memory."""
        return self._process.pid if self._process is not None and self._process.alive else None

    async def load(self, load: Load) -> AsyncGenerator[Event, None]:
        """Open a model: Loading…, then Loaded or Failed.

        Where the library's own kernels crash on this processor, the model is loaded a second time
        without them, and that is remembered.
        """
        self._load = None
        if self._must_avoid_extra_buffers(load):
            load = _without_extra_buffers(load)
        last: Event | None = None
        async with aclosing(self._exchange(load)) as events:
            async for last in events:
                if not _died_of_extra_buffers(last, load):
                    yield last
        if last is not None and _died_of_extra_buffers(last, load):
            load = _without_extra_buffers(load)
            async with aclosing(self._exchange(load)) as events:
                async for last in events:
                    yield last
            if isinstance(last, Loaded):  # else it was not they that crashed
                self._remember_crash()
        self._load = load if isinstance(last, Loaded) else None

    async def warm(self, messages: Sequence[Message]) -> Warmed | Failed:
        """Bring the fixed prompt into the cache."""
        warm = Warm(tuple(messages))
        last = await self._last_event(warm)
        if isinstance(last, Warmed):
            self._warm = warm
        assert isinstance(last, Warmed | Failed)
        return last

    async def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]:
        """Answer: Prefill…, Text…, then Finished or Failed. Closing the stream early cancels."""
        async with aclosing(self._exchange(Generate(tuple(messages), sampling))) as events:
            async for event in events:
                yield event

    async def count(self, messages: Sequence[Message]) -> int:
        """Tokens of the rendered conversation. Raises EngineError."""
        last = await self._last_event(Count(tuple(messages)))
        if isinstance(last, Failed):
            raise EngineError(last.sentence)
        assert isinstance(last, Counted)
        return last.tokens

    async def reset(self) -> None:
        """Forget the conversation, then warm the fixed prompt again. Raises EngineError."""
        for request in (Reset(), self._warm):
            last = await self._last_event(request) if request is not None else None
            if isinstance(last, Failed):
                raise EngineError(last.sentence)

    async def cancel(self) -> None:
        """End the running request; its stream still brings its last event.

        A request that waits for a new process is not running yet, and the process's own loading
        is not what is to be ended.
        """
        if self._running is not None:
            await self._running.send(Cancel())

    async def set_pace(self, threads: int, duty: float = 1.0) -> None:
        """Change the threads of decoding and the share of time it may use, also under way.

        It holds for the processes to come too: a budget outlives an engine.
        """
        self._pace = SetPace(threads, duty)
        if self._process is not None and self._process.alive:
            await self._process.send(self._pace)

    async def close(self) -> None:
        """End the process. Nothing can be asked afterwards."""
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.gather(self._reviving, return_exceptions=True)
        if self._process is not None:
            await self._process.close()

    async def _last_event(self, request: Request) -> Event:
        """The answer to a request that says nothing on its way.

        Where the process has died, the next one is asked the same: it was not these requests'
        doing, but happened while nothing was asked.
        """
        last = await self._only_event(request)
        if isinstance(last, Failed) and last.code == "died":
            last = await self._only_event(request)
        return last

    async def _only_event(self, request: Request) -> Event:
        async with aclosing(self._exchange(request)) as events:
            async for event in events:
                last = event
        return last

    async def _exchange(self, request: Request) -> AsyncGenerator[Event, None]:
        """Send a request and hand on its events, in turn with the other requests."""
        async with self._turn:
            try:
                self._running = process = await self._ready_process(request)
                async with aclosing(_converse(process, request)) as events:
                    async for event in events:
                        yield event
            except Died as death:
                yield self._mourn(death, request)
            except EngineError as error:
                yield Failed("internal", str(error))
            finally:
                self._running = None

    async def _ready_process(self, request: Request) -> EngineProcess:
        if self._reviving is not None:
            await asyncio.shield(self._reviving)
            self._reviving = None
        if self._process is None or not self._process.alive:
            is_load = isinstance(request, Load)
            await self._take(await (self._start() if is_load else self._start_restored()))
        assert self._process is not None
        return self._process

    async def _take(self, process: EngineProcess) -> None:
        """Use this process from here on, at the pace that was last asked for."""
        self._process = process
        if self._pace is not None:
            await process.send(self._pace)

    def _mourn(self, death: Died, request: Request) -> Failed:
        """One event for a death; the next process is begun, unless this one died loading."""
        if self._load is not None and not isinstance(request, Load):
            self._reviving = asyncio.create_task(self._revive())
        return Failed("died", str(death), {"crashed": int(death.crashed)})

    async def _revive(self) -> None:
        """Start again in the background. Where that fails, the next request tries and tells."""
        with suppress(EngineError):
            await self._take(await self._start_restored())

    async def _start_restored(self) -> EngineProcess:
        """A new process with the model and the fixed prompt of the old one."""
        process = await self._start()
        try:
            for request in (self._load, self._warm):
                if request is not None:
                    await _insist(process, request)
        except BaseException:  # a cancel too: nobody else knows of this process
            await process.close()
            raise
        return process

    def _must_avoid_extra_buffers(self, load: Load) -> bool:
        if self._findings is None or not load.settings.extra_buffers:
            return False
        return crashed_before(self._findings, this_machine(self._llama_cpp))

    def _remember_crash(self) -> None:
        if self._findings is not None:
            with suppress(OSError):  # not remembered, it costs one more crash at the next start
                remember_crash(self._findings, this_machine(self._llama_cpp))


async def _converse(process: EngineProcess, request: Request) -> AsyncGenerator[Event, None]:
    """One request and its events. Left early, it is cancelled and its last event waited for."""
    await process.send(request)
    ended = False
    try:
        while not ended:
            event = await process.receive()
            ended = isinstance(event, _LAST_EVENTS)
            yield event
    except EngineError as error:
        ended = True
        if not isinstance(error, Died):
            await process.close()  # the two sides do not understand each other any more
        raise
    finally:
        if not ended:
            await _drain(process)


async def _insist(process: EngineProcess, request: Request) -> None:
    """One request that must succeed. Raises EngineError."""
    async with aclosing(_converse(process, request)) as events:
        async for event in events:
            if isinstance(event, Failed):
                raise EngineError(event.sentence)


async def _drain(process: EngineProcess) -> None:
    """Cancel what runs and read to its end, so that the next request has the line to itself.

    A process that ends or talks nonsense meanwhile is replaced by the next request. So is one
    whose end nobody waits for: what it still says would answer that request.
    """
    try:
        await process.send(Cancel())
        while not isinstance(await process.receive(), _LAST_EVENTS):
            pass
    except EngineError:
        await process.close()
    except asyncio.CancelledError:
        await process.close()
        raise


def _died_of_extra_buffers(event: Event, load: Load) -> bool:
    crashed = isinstance(event, Failed) and bool(event.detail.get("crashed"))
    return crashed and load.settings.extra_buffers


def _without_extra_buffers(load: Load) -> Load:
    return replace(load, settings=replace(load.settings, extra_buffers=False))
