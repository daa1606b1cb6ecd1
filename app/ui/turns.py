"""One turn from its first event to its last: what came is written, timed and marked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import monotonic
from typing import Protocol

from app.assistant.events import Failed, Finished, Notice, Prefill, Text, TurnEvent
from app.engine.messages import StopReason
from app.errors import BedsideError
from app.ui.pace import TurnMeter
from app.ui.state import Phase

MARKS: dict[StopReason, str] = {
    "stop": "",
    "length": "The answer was cut: it reached the longest length that is set.",
    "cancelled": "You stopped the answer.",
    "repetition": "The answer was ended: the model began to repeat itself.",
}
"""What the screen says below an answer, by how it ended."""

_STATUS_SECONDS = 0.25

TurnSource = Callable[[], AsyncGenerator[TurnEvent, None]]
"""Asks the assistant, and so begins a turn."""


class AnswerView(Protocol):
    """What a turn needs of the widget that draws its answer."""

    def write(self, piece: str) -> None:
        """Add text."""

    def progress(self, sentence: str) -> None:
        """Say what goes on before the first text."""

    def note(self, sentence: str) -> None:
        """Show a sentence of the assistant."""

    def finish(self, mark: str, *, failed: bool = False) -> None:
        """Draw what is left and say how it ended."""


class TurnPlayer:
    """Plays the events of one turn onto its answer.

    Args:
        answer: Where the text goes.
        changed: Called with the phase when it changes and a few times a second while text comes,
            for status line and monitor.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        answer: AnswerView,
        changed: Callable[[Phase], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._answer = answer
        self._changed = changed
        self._clock = clock
        self._phase = Phase.READING
        self._told_at = clock()
        self.meter = TurnMeter(self._told_at)

    async def play(self, begin: TurnSource) -> None:
        """Begin the turn and take it to its end. The last piece is drawn however it ends."""
        try:
            async with aclosing(begin()) as events:
                async for event in events:
                    self.meter.saw(event, self._clock())
                    self._take(event)
        except BedsideError as error:
            self._answer.finish(str(error), failed=True)

    def _take(self, event: TurnEvent) -> None:
        match event:
            case Notice(sentence=sentence):
                self._answer.note(sentence)
            case Prefill(done=done, total=total):
                self._tell(Phase.READING)
                self._answer.progress(f"Reading your question: {done} of {total} tokens.")
            case Text(text=text):
                if self._phase is not Phase.ANSWERING:
                    self._answer.progress("")
                self._tell(Phase.ANSWERING)
                self._answer.write(text)
            case Finished(reason=reason):
                self._answer.finish(MARKS[reason])
            case Failed(sentence=sentence):
                self._answer.finish(sentence, failed=True)

    def _tell(self, phase: Phase) -> None:
        now = self._clock()
        if phase is not self._phase or now - self._told_at >= _STATUS_SECONDS:
            self._phase, self._told_at = phase, now
            self._changed(phase)
