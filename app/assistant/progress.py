"""An answer while it comes: the engine's events made fit for a screen, and what was said so far."""

from __future__ import annotations

import time
from dataclasses import replace

from app.assistant.events import TurnEvent
from app.conversation.turns import Answer, Ending
from app.engine.messages import Event, Failed, Finished, Prefill, Text
from app.sanitise import Sanitiser, one_line

_LONGEST = 1000
"""Characters of a sentence about a failure."""


class AnswerInProgress:
    """Collects one answer. Until its last event has come it counts as cancelled."""

    def __init__(self) -> None:
        self.asked_at = time.monotonic()
        self.first_text_at: float | None = None
        self.last: Finished | Failed | None = None
        self._sanitiser = Sanitiser()
        self._text = ""
        self._tokens = 0

    @property
    def answer(self) -> Answer:
        """What there is of it."""
        return Answer(self._text, self._reason)

    @property
    def _reason(self) -> Ending:
        match self.last:
            case Finished(reason=reason):
                return reason
            case Failed():
                return "failed"
            case None:
                return "cancelled"

    def take(self, event: Event) -> list[TurnEvent]:
        """The events for the screen that follow from one of the engine's."""
        match event:
            case Prefill():
                return [event]
            case Text(text=text, tokens=tokens):
                self._tokens = tokens
                return self._say(self._sanitiser.feed(text))
            case Finished():
                self.last = event
                return [*self._say(self._sanitiser.finish()), event]
            case Failed():
                self.last = _reassure(told(event))
                return [*self._say(self._sanitiser.finish()), self.last]
            case _:
                return []

    def _say(self, text: str) -> list[TurnEvent]:
        if not text:
            return []
        if self.first_text_at is None:
            self.first_text_at = time.monotonic()
        self._text += text
        return [Text(text, self._tokens)]


def told(failed: Failed) -> Failed:
    """A failure of the engine's for people: it may quote a file that means harm."""
    return replace(failed, sentence=one_line(failed.sentence, _LONGEST))


def _reassure(failed: Failed) -> Failed:
    if failed.code != "died":
        return failed
    rest = "It is being started again, and your conversation is whole."
    return replace(failed, sentence=f"{failed.sentence} {rest}")
