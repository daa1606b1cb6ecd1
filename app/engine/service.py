"""The engine's side of the contract: each request is done, one after the other, into events."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from resource import getpagesize

from app.engine.generation import Generation, Pace
from app.engine.llama import Sampler, StopFlag
from app.engine.loading import NotEnoughMemory, Session, open_session
from app.engine.messages import (
    Cleared,
    Count,
    Counted,
    Event,
    Failed,
    Generate,
    Load,
    Loading,
    Reset,
    SetPace,
    Warm,
    Warmed,
)
from app.engine.stopping import Stopped
from app.errors import BadInputError, BedsideError, EngineError

Work = Load | Warm | Generate | Count | Reset


class Service:
    """Does requests in the thread that made it. `pace` alone may be called from another."""

    def __init__(self, emit: Callable[[Event], None], stop: StopFlag, network: str = "") -> None:
        """`network` says what keeps this process from it; `Loaded` carries it on."""
        self._emit, self._stop, self._network = emit, stop, network
        self._session: Session | None = None
        self._pace = Pace()

    def handle(self, request: Work) -> None:
        """Do one request; its last event says how it ended, also where it failed."""
        try:
            self._do(request)
        except NotEnoughMemory as error:
            self._emit(Failed("memory", str(error), error.detail))
        except BadInputError as error:
            self._emit(Failed("bad_model" if isinstance(request, Load) else "template", str(error)))
        except BedsideError as error:
            self._emit(Failed("internal", str(error)))
        except Stopped:  # only a load gets here: a model that was not tried is not used
            self._emit(Failed("internal", "The loading was stopped."))

    def pace(self, request: SetPace) -> None:
        """Note a change of pace; it holds from the next token on."""
        self._pace.duty = min(max(request.duty, 0.05), 1.0)
        self._pace.threads = max(1, request.threads)

    def _do(self, request: Work) -> None:
        match request:
            case Load():
                self._load(request)
            case Warm():
                self._warm(request)
            case Generate():
                self._generate(request)
            case Count():
                self._emit(Counted(len(self._open().builder.build(request.messages))))
            case Reset():
                session = self._open()
                session.cache.clear()
                session.builder.forget()
                self._emit(Cleared())

    def _load(self, request: Load) -> None:
        if self._session is not None:
            self._session.llama.close()
            self._session = None
        shown = -1

        def progress(fraction: float) -> None:
            nonlocal shown
            if int(fraction * 100) > shown:  # llama.cpp reports every tensor
                shown = int(fraction * 100)
                self._emit(Loading(fraction))

        self._session = open_session(request, self._stop, progress)
        self._emit(replace(self._session.loaded, network=self._network))

    def _warm(self, request: Warm) -> None:
        session = self._open()
        started = time.monotonic()
        prefix = session.builder.fixed_prefix(request.messages)
        session.cache.clear()
        restored = self._restore(session, prefix)
        if restored:
            session.cache.tokens = list(prefix)
        else:
            self._evaluate_prefix(session, prefix)
        self._emit(Warmed(len(session.cache.tokens), restored, time.monotonic() - started))

    def _restore(self, session: Session, prefix: list[int]) -> bool:
        if session.kept_state is None:
            return False
        try:
            return session.kept_state.restore(session.llama, prefix)
        except OSError as error:  # the prompt is computed instead
            print(f"the fixed prompt's state was not read: {error.strerror}", file=sys.stderr)
            session.cache.clear()
            return False

    def _evaluate_prefix(self, session: Session, prefix: list[int]) -> None:
        step = session.llama.micro_batch
        try:
            for start in range(0, len(prefix), step):
                session.cache.extend(prefix[start : start + step], wants_logits=False)
        except Stopped:
            return
        if session.kept_state is not None and prefix:
            try:
                session.kept_state.keep(session.llama, prefix)
            except OSError as error:  # only the next start is slower for it
                print(f"the fixed prompt's state was not kept: {error.strerror}", file=sys.stderr)

    def _generate(self, request: Generate) -> None:
        session = self._open()
        prompt = session.builder.build(request.messages)
        room = min(request.sampling.max_tokens, session.context - len(prompt))
        if room < 1:
            detail = {"tokens": len(prompt), "context": session.context}
            self._emit(Failed("context", _too_long(len(prompt), session.context), detail))
            return
        generation = Generation(
            session.llama, session.cache, self._emit, self._stop.event, self._pace
        )
        how = request.sampling
        sampler = Sampler(session.llama, how)
        try:
            finished = generation.run(prompt, sampler, room, how.guard_repetition, how.stop_at_end)
        finally:
            sampler.close()
        answer = generation.transcript
        session.builder.keep_answer(answer.text, answer.ids)
        self._emit(replace(finished, resident_bytes=resident_bytes()))

    def _open(self) -> Session:
        if self._session is None:
            raise EngineError("No model is loaded.")
        return self._session


def resident_bytes() -> int:
    """Resident memory of this process, from /proc/self/statm."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def _too_long(tokens: int, context: int) -> str:
    return f"The conversation is {tokens} tokens and this model takes {context} with the answer."
