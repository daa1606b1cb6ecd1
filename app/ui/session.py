"""The chat's work apart from its widgets: loading the model, one turn at a time, stopping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from app.assistant.events import Failed, Loaded, Loading, Notice, Ready
from app.errors import BedsideError
from app.ui.pace import Speed
from app.ui.ports import ChatAssistant
from app.ui.state import BUSY, Phase
from app.ui.turns import AnswerView, TurnPlayer, TurnSource


class Hints(Protocol):
    """Where sentences about loading go."""

    def keep(self, sentence: str, *, problem: bool = False) -> None:
        """Show a sentence until the next."""

    def say(self, sentence: str) -> None:
        """Show a sentence for a while."""

    def clear(self) -> None:
        """Show none."""


class Session:
    """Drives the assistant. Everything runs on the event loop of the screen.

    Args:
        assistant: Who answers.
        changed: Called whenever `phase` or `speed` is new.
    """

    def __init__(self, assistant: ChatAssistant, changed: Callable[[], None]) -> None:
        self.assistant = assistant
        self.problem = ""
        """Why there is no model, once that is so."""
        self._changed = changed
        self._phase = Phase.LOADING
        self._player: TurnPlayer | None = None
        self._waiting: asyncio.Future[bool] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def phase(self) -> Phase:
        """What the chat is doing."""
        return self._phase

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self._phase in BUSY

    @property
    def speed(self) -> Speed:
        """The speed of the running turn, or of the last one."""
        return self._player.meter.speed if self._player else Speed()

    async def prepare(self, hints: Hints) -> None:
        """Load the model, with a line of progress. A failure stays on the screen."""
        hints.keep("Starting the engine…")
        try:
            async for event in self.assistant.prepare():
                match event:
                    case Loading(fraction=fraction):
                        hints.keep(f"Loading the model: {fraction:.0%}")
                    case Loaded():
                        hints.keep("Reading the fixed part of the prompt…")
                    case Notice(sentence=sentence):
                        hints.say(sentence)
                    case Ready():
                        hints.clear()
                        self._prepared("")
                    case Failed(sentence=sentence):
                        self._prepared(sentence)
        except BedsideError as error:
            self._prepared(str(error))
        if self.problem:
            hints.keep(self.problem, problem=True)

    async def turn(self, answer: AnswerView, begin: TurnSource) -> None:
        """Play one turn onto `answer`; a question asked before the model is ready waits for it."""
        self._idle.clear()
        try:
            if self._phase is Phase.LOADING and not await self._wait(answer):
                return
            self._enter(Phase.READING)
            self._player = TurnPlayer(answer, self._turn_changed)
            await self._player.play(begin)
        finally:
            if not self.problem:
                self._enter(Phase.READY if self.assistant.model else Phase.LOADING)
            self._idle.set()

    async def stop(self) -> None:
        """End the running turn; also one that still waits for the model."""
        if self._waiting is not None:
            self._waiting.set_result(False)
            self._waiting = None
        elif self._phase in {Phase.READING, Phase.ANSWERING}:
            self._enter(Phase.STOPPING)
            await self.assistant.stop()

    async def new_conversation(self) -> None:
        """End the running turn and forget everything said."""
        await self.stop()
        await self._idle.wait()
        await self.assistant.new_conversation()
        self._player = None
        self._changed()

    async def _wait(self, answer: AnswerView) -> bool:
        """Wait for the model. False when the user gave up or there will be no model."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._enter(Phase.WAITING)
        answer.progress("Your question is sent as soon as the model is loaded.")
        if await self._waiting:
            answer.progress("")
            return True
        if self.problem:
            answer.finish(self.problem, failed=True)
        else:
            answer.finish("You stopped before the model was loaded.")
        return False

    def _prepared(self, problem: str) -> None:
        self.problem = problem
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set_result(not problem)
        self._enter(Phase.FAILED if problem else Phase.READY)

    def _turn_changed(self, phase: Phase) -> None:
        self._enter(self._phase if self._phase is Phase.STOPPING else phase)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._changed()
