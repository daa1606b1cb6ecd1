"""One turn from its first event to its last: what came is written, timed and marked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import monotonic
from typing import Protocol

from app.assistant.events import (
    Alert,
    Answered,
    Asked,
    Failed,
    Finished,
    Held,
    Notice,
    Passages,
    Prefill,
    Support,
    Text,
    TurnEvent,
)
from app.conversation.wording import ENDINGS
from app.errors import BedsideError
from app.knowledge.passage import Passage
from app.safety import Card
from app.ui.pace import TurnMeter
from app.ui.state import Phase

_STATUS_SECONDS = 0.25

TurnSource = Callable[[], AsyncGenerator[TurnEvent, None]]
"""Asks the assistant, and so begins a turn."""


class AnswerView(Protocol):
    """What a turn needs of the widget that draws its answer."""

    def flag(self, line: str) -> None:
        """Show a red flag as one more line above everything else."""

    def lean_on(self, passages: tuple[Passage, ...]) -> None:
        """Show what the answer leans on; none is worth saying too."""

    def write(self, piece: str) -> None:
        """Add text."""

    def progress(self, sentence: str) -> None:
        """Say what goes on before the first text."""

    def note(self, sentence: str) -> None:
        """Show a sentence of the assistant."""

    def support(self, support: Support) -> None:
        """Say how much of the answer stands in its sources."""

    def hold(self) -> None:
        """Say that the model was not asked, and how it can be."""

    def finish(self, mark: str, *, failed: bool = False) -> None:
        """Draw what is left and say how it ended."""


class TriageView(Protocol):
    """Where cards and their questions stand; they outlive the turn."""

    def show(self, card: Card) -> bool:
        """Open a card. False where a worse one keeps its place."""

    def ask(self) -> None:
        """Show the yes/no questions that stand now."""


class TurnPlayer:
    """Plays the events of one turn onto its answer.

    Args:
        answer: Where the text goes.
        triage: Where cards and questions go.
        changed: Called with the phase when it changes and a few times a second while text comes,
            for status line and monitor.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        answer: AnswerView,
        triage: TriageView,
        changed: Callable[[Phase], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._answer = answer
        self._triage = triage
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
            case Prefill(done=done, total=total):
                self._tell(Phase.READING)
                self._answer.progress(f"Reading your question: {done} of {total} tokens.")
            case Text(text=text):
                if self._phase is not Phase.ANSWERING:
                    self._answer.progress("")
                self._tell(Phase.ANSWERING)
                self._answer.write(text)
            case Finished(reason=reason):
                self._answer.finish(ENDINGS[reason])
            case Failed(sentence=sentence):
                self._answer.finish(sentence, failed=True)
            case _:
                self._take_aside(event)

    def _take_aside(
        self, event: Alert | Answered | Passages | Notice | Support | Asked | Held
    ) -> None:
        """What is said before, beside and after the model's text."""
        match event:
            case Alert():
                self._raise(event)
            case Passages(found=found):
                self._answer.lean_on(found)
            case Notice(sentence=sentence):
                self._answer.note(sentence)
            case Support():
                self._answer.support(event)
            case Asked() | Answered():
                self._triage.ask()
            case Held():
                self._answer.hold()

    def _raise(self, alert: Alert) -> None:
        """A card to a patient, a line to a clinician.

        Where a worse card keeps its place, the lesser one is a line as well: none goes unsaid.
        """
        if not alert.patient:
            self._answer.flag(alert.line)
        elif not self._triage.show(alert.card):
            self._answer.flag(alert.card.folded)

    def _tell(self, phase: Phase) -> None:
        now = self._clock()
        if phase is not self._phase or now - self._told_at >= _STATUS_SECONDS:
            self._phase, self._told_at = phase, now
            self._changed(phase)
