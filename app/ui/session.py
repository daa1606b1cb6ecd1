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
from app.ui.turns import AnswerView, TriageView, TurnPlayer, TurnSource


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
        triage: Where cards and their questions go.
        changed: Called whenever `phase` or `speed` is new.
    """

    def __init__(
        self, assistant: ChatAssistant, triage: TriageView, changed: Callable[[], None]
    ) -> None:
        self.assistant = assistant
        self.problem = ""
        """Why there is no model, once that is so."""
        self._triage = triage
        self._changed = changed
        self._phase = Phase.LOADING
        self._player: TurnPlayer | None = None
        self._playing: asyncio.Task[None] | None = None
        self._waiting: AnswerView | None = None
        self._ready = self._gave_up = False
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
        """Play one turn onto `answer`.

        Before the model is ready the assistant only hears the question, so that a red flag does
        not wait for a model; the rest of the turn comes when there is one.
        """
        self._idle.clear()
        self._gave_up = False
        self._player = TurnPlayer(answer, self._triage, self._turn_changed)
        try:
            if self._phase is Phase.LOADING:
                self._wait(answer)
            else:
                self._enter(Phase.READING)
            self._playing = asyncio.create_task(self._player.play(begin))
            await self._playing
        except asyncio.CancelledError:
            if not self._gave_up:  # the screen is going away
                raise
            answer.finish("You stopped before the model was loaded.")
        finally:
            self._playing = self._waiting = None
            self._enter(self._resting)
            self._idle.set()

    async def stop(self) -> None:
        """End the running turn; also one that still waits for the model."""
        if self._phase is Phase.WAITING and self._playing is not None:
            self._gave_up = True
            self._playing.cancel()
        elif self._phase in {Phase.READING, Phase.ANSWERING}:
            self._enter(Phase.STOPPING)
            await self.assistant.stop()

    async def rest(self) -> None:
        """End the running turn and wait until it has ended."""
        await self.stop()
        await self._idle.wait()

    async def new_conversation(self) -> None:
        """End the running turn and forget everything said."""
        await self.rest()
        await self.assistant.new_conversation()
        self._player = None
        self._changed()

    @property
    def _resting(self) -> Phase:
        """Where the chat stands between two turns."""
        if self.problem:
            return Phase.FAILED
        return Phase.READY if self._ready else Phase.LOADING

    def _wait(self, answer: AnswerView) -> None:
        self._waiting = answer
        self._enter(Phase.WAITING)
        answer.progress("Your question is sent as soon as the model is loaded.")

    def _prepared(self, problem: str) -> None:
        self.problem, self._ready = problem, not problem
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            self._enter(self._resting)
        else:
            waiting.progress("")
            self._enter(Phase.READING)

    def _turn_changed(self, phase: Phase) -> None:
        self._enter(self._phase if self._phase is Phase.STOPPING else phase)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._changed()
