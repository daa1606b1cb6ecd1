"""A scripted assistant: events at a pace, with failures, hostile text and stops, and no engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from app.assistant.events import (
    Alert,
    Answered,
    Asked,
    Failed,
    Finished,
    Held,
    Loaded,
    Loading,
    Notice,
    Passages,
    Prefill,
    PrepareEvent,
    Ready,
    Support,
    Text,
    TurnEvent,
)
from app.assistant.ports import Usage
from app.conversation.turns import Answer, Conversation
from app.engine.messages import StopReason
from app.errors import UsageError
from app.knowledge.passage import Passage
from app.monitor.panel import Row
from app.monitor.reading import Reading
from app.safety import Card, Level, Question

MODEL = Loaded(
    name="fake-29m",
    architecture="llama",
    parameters=29_000_000,
    bytes=18_000_000,
    census={"Q4_K": 40, "F32": 9},
    trained_context=1024,
    context=1024,
    template="file",
    system_info="none",
    llama_cpp="0.0.0",
    extra_buffers=True,
)

ANSWER = (
    "Glaucoma is a group of diseases of the **optic nerve**.\n\n"
    "- blind spots at the edge of what you see\n"
    "- halos around lights\n"
    "- pain in the eye\n\n"
    "See a doctor soon."
)


def card(level: Level = Level.CALL, title: str = "Chest pain") -> Card:
    """A card with words that nothing else on the screen has."""
    head = f"Call 112 {level.name.lower()}."
    steps = ("Sit down and stay still.", "Unlock the door.")
    return Card(
        level, title, head, "It may be the heart.", steps, "NHS, a page", f"{title}: {head}"
    )


def alert(level: Level = Level.CALL, title: str = "Chest pain", *, patient: bool = True) -> Alert:
    """A red flag."""
    shown = card(level, title)
    return Alert(shown, f"CALL NOW · {title} · NHS, a page", patient)


def passage(number: int = 1, text: str = "", **fields: str) -> Passage:
    """A passage of a card that nobody has reviewed."""
    values = {
        "title": f"Glaucoma {number} - symptoms",
        "source": f"Institute {number}",
        "url": f"https://example.org/{number}",
        "date": "2024-05-01",
        "licence": "CC BY 4.0",
        "reviewed_by": "none",
        **fields,
    }
    return Passage(
        id=number, text=text or f"Passage {number} speaks of halos.", score=1.0, **values
    )


QUESTIONS = (
    Question("Does the pain spread to the arm?", "the pain spreads to my arm"),
    Question("Are you short of breath?", "I am short of breath"),
)


def pieces(text: str) -> list[str]:
    """The text word by word, each with the space before it, as a tokeniser gives it out."""
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def finished(reason: StopReason = "stop", generated: int = 40) -> Finished:
    """An end with round numbers: 20 tokens/s of decode, 100 of prefill."""
    return Finished(
        reason=reason,
        prompt_tokens=100,
        reused=60,
        evaluated=40,
        generated=generated,
        prefill_s=0.4,
        decode_s=generated / 20,
        resident_bytes=210_000_000,
    )


@dataclass(slots=True)
class Script:
    """What one turn does."""

    pieces: Sequence[str] = field(default_factory=lambda: pieces(ANSWER))
    prefill: Sequence[tuple[int, int]] = ((20, 40), (40, 40))
    alert: Alert | None = None
    held: bool = False
    """The card stands alone: the turn ends after the alert."""
    passages: tuple[Passage, ...] | None = None
    support: Support | None = None
    answered: Answered | None = None
    asked: Asked | None = None
    notice: str = ""
    failed: Failed | None = None
    reason: StopReason = "stop"


@dataclass(slots=True)
class FakeAssistant:
    """Answers from its scripts, in their order; the last one serves every turn after it."""

    scripts: list[Script] = field(default_factory=lambda: [Script()])
    pace: float = 0.0
    """Seconds before each event."""
    prepare_failure: Failed | None = None
    demonstration: bool = False
    hold: asyncio.Event | None = None
    """When set to an event, loading waits for it."""
    hold_prefill: asyncio.Event | None = None
    hold_text: asyncio.Event | None = None
    """When set to an event, the turn waits for it before its last piece."""
    model: Loaded | None = None
    conversation: Conversation = field(default_factory=Conversation)
    usage: Usage = field(default_factory=Usage)
    asked: list[str] = field(default_factory=list)
    """`ask`, `resend` and `regenerate`, with their questions, once the model got them."""
    clinician: bool = False
    alert: Alert | None = None
    confirms: dict[str, Alert] = field(default_factory=dict)
    """Alerts by the `means` of a question."""
    confirmed: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    """`means` of the questions that were answered with yes, and with no."""
    questions: tuple[Question, ...] = ()
    hold_alert: asyncio.Event | None = None
    """When set to an event, the turn waits for it after its alert."""
    stops: int = 0
    closed: bool = False
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _prepared: asyncio.Event = field(default_factory=asyncio.Event)
    _answering: bool = False

    async def prepare(self) -> AsyncGenerator[PrepareEvent, None]:
        """Loading, Loaded and Ready, or the failure."""
        yield Loading(0.5)
        if self.hold is not None:
            await self.hold.wait()
        self._prepared.set()
        if self.prepare_failure is not None:
            yield self.prepare_failure
            return
        self.model = MODEL
        self.usage = Usage(26, MODEL.context)
        yield MODEL
        yield Ready(MODEL)

    def ask(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """The next script's events."""
        self._begin()
        self.conversation.ask(question)
        return self._play(f"ask {question}")

    def resend(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """The next script's events, in place of the last turn."""
        self._begin()
        self.conversation.take_back()
        self.conversation.ask(question)
        return self._play(f"resend {question}")

    def regenerate(self) -> AsyncGenerator[TurnEvent, None]:
        """The next script's events, to the last question."""
        self._begin()
        return self._play("regenerate")

    def confirm(self, question: Question) -> Alert | None:
        """The alert that the test laid ready for this question."""
        self.confirmed.append(question.means)
        self._withdraw(question)
        return self.confirms.get(question.means)

    def deny(self, question: Question) -> None:
        """Note the no."""
        self.denied.append(question.means)
        self._withdraw(question)

    def help_card(self) -> Card:
        """Whom to call."""
        return card(Level.CRISIS, "Help in a crisis")

    async def stop(self) -> None:
        """End the running turn."""
        self.stops += 1
        self._stopping.set()

    async def new_conversation(self) -> None:
        """Forget everything."""
        self.conversation.clear()
        self.alert, self.questions = None, ()
        self.usage = Usage(0, MODEL.context)

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _withdraw(self, *answered: Question) -> None:
        self.questions = tuple(one for one in self.questions if one not in answered)

    def _begin(self) -> None:
        if self._answering:
            raise UsageError("An answer is still being written. Stop it first.")
        self._answering = True
        self._stopping.clear()

    async def _play(self, what: str) -> AsyncGenerator[TurnEvent, None]:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        said: list[str] = []
        try:
            async for event in self._events(script, what):
                match event:
                    case Text(text=text):
                        said.append(text)
                    case Finished(reason=reason):
                        self.conversation.add_answer(Answer("".join(said), reason))
                        self.usage = Usage(100 + len(said), MODEL.context)
                    case Failed():
                        self.conversation.add_answer(Answer("".join(said), "failed"))
                yield event
        finally:
            self._answering = False

    async def _events(self, script: Script, what: str) -> AsyncGenerator[TurnEvent, None]:
        if script.alert is not None and what != "regenerate":
            self.alert = script.alert
            yield script.alert
            if self.hold_alert is not None:
                await self.hold_alert.wait()
            if script.held:
                yield Held()
                return
        if script.answered is not None:
            self._withdraw(*script.answered.questions)
            yield script.answered
        await self._prepared.wait()
        if self.prepare_failure is not None:
            yield self.prepare_failure
            return
        self.asked.append(what)
        async for event in self._model_events(script):
            yield event

    async def _model_events(self, script: Script) -> AsyncGenerator[TurnEvent, None]:
        if script.passages is not None:
            yield Passages(script.passages)
        if script.notice:
            yield Notice(script.notice)
        for done, total in script.prefill:
            yield Prefill(done, total, 60)
            if await self._stopped(self.hold_prefill):
                yield finished("cancelled", generated=0)
                return
        for count, piece in enumerate(script.pieces, start=1):
            last = count == len(script.pieces)
            if await self._stopped(self.hold_text if last else None):
                yield finished("cancelled", generated=count - 1)
                return
            yield Text(piece, count)
        if script.support is not None:
            yield script.support
        if script.asked is not None:
            self.questions = (*script.asked.questions, *self.questions)
            yield script.asked
        yield script.failed or finished(script.reason, generated=len(script.pieces))

    async def _stopped(self, gate: asyncio.Event | None) -> bool:
        """Wait for the pace, or for the gate; true when `stop` came first."""
        if gate is None:
            await asyncio.sleep(self.pace)
            return self._stopping.is_set()
        waits = [asyncio.create_task(gate.wait()), asyncio.create_task(self._stopping.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return self._stopping.is_set()


class FakeMonitor:
    """One reading of a board that has no power sensor."""

    def recent(self) -> Sequence[Row]:
        """Without power there is nothing to tell of the last minute."""
        return ()

    def __init__(self) -> None:
        self.asked = 0

    def latest(self) -> Reading:
        """Always the same reading."""
        self.asked += 1
        return Reading(
            at=0.0,
            temp_c=61.0,
            cpu=0.43,
            available_bytes=3_100_000_000,
            engine_rss=210_000_000,
            unavailable={"power_w": "this board has no power sensor"},
        )
