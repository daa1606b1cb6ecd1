"""Questions and answers. The screen's history is append-only; the model's is a tail of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.engine.messages import Message, StopReason
from app.errors import UsageError
from app.knowledge.passage import Passage

Ending = StopReason | Literal["failed"]
"""How an answer ended."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the model, also one that was cut short."""

    text: str
    reason: Ending
    remarks: tuple[str, ...] = ()
    """What stands below it: that sentences are not in its sources, amounts to check. A sentence
    each."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answers; asking for another answer keeps the earlier ones."""

    question: str
    answers: tuple[Answer, ...] = ()
    passages: tuple[Passage, ...] = ()
    """What the answers lean on."""
    sent: str = ""
    """The question as the model got it, with the passages; empty where it got it as it is."""
    alerts: tuple[str, ...] = ()
    """The red flags that stood when it was asked or that it raised, a line each."""

    @property
    def answer(self) -> Answer | None:
        """The latest answer."""
        return self.answers[-1] if self.answers else None

    @property
    def ended(self) -> bool:
        """Whether there is something to keep: an answer, or a card that stood in its place."""
        return bool(self.answers or self.alerts)


class Conversation:
    """The turns so far, in memory alone."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._forgotten = 0

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._turns)

    @property
    def forgotten(self) -> int:
        """How many of the oldest turns the model no longer sees."""
        return self._forgotten

    def ask(self, question: str) -> None:
        """Begin a turn."""
        self._turns.append(Turn(question))

    def take_back(self) -> Turn:
        """Remove the last turn, to ask it in other words. Raises UsageError where there is none."""
        turn = self.last
        self._turns.pop()
        self._forgotten = min(self._forgotten, len(self._turns))
        return turn

    def put_back(self, turn: Turn) -> None:
        """A whole turn at the end: one that was kept, or taken back."""
        self._turns.append(turn)

    def lean_on(self, passages: Sequence[Passage], sent: str) -> None:
        """Passages for the last question, and how the model gets both; kept as it was sent."""
        self._turns[-1] = replace(self.last, passages=tuple(passages), sent=sent)

    def flag(self, lines: Sequence[str]) -> None:
        """Red flags at the last question; each line is noted once."""
        self._turns[-1] = replace(
            self.last, alerts=tuple(dict.fromkeys((*self.last.alerts, *lines)))
        )

    def add_answer(self, answer: Answer) -> None:
        """One more answer to the last question."""
        self._turns[-1] = replace(self.last, answers=(*self.last.answers, answer))

    @property
    def last(self) -> Turn:
        """The turn that is being answered or was last. Raises UsageError where there is none."""
        if not self._turns:
            raise UsageError("Nothing has been asked yet.")
        return self._turns[-1]

    def forget_through(self, count: int) -> None:
        """From now on the model does not see the first `count` turns."""
        self._forgotten = count

    def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()
        self._forgotten = 0

    def messages(self, system: str, forgotten: int | None = None) -> list[Message]:
        """What the model is sent to answer the last question.

        Turns without an answer are left out but for the last one: two questions in a row are
        refused by many templates.
        """
        first = self._forgotten if forgotten is None else forgotten
        return [
            Message("system", system),
            *_answered(self._turns[first:-1]),
            Message("user", self.last.sent or self.last.question),
        ]


def _answered(turns: Sequence[Turn]) -> list[Message]:
    messages = []
    for turn in turns:
        if turn.answer is not None and turn.answer.text:
            messages.append(Message("user", turn.sent or turn.question))
            messages.append(Message("assistant", turn.answer.text))
    return messages
