"""The assistant: from a question to the stream of events that every screen reads.

The chat, `ask`, the plain chat and the kiosk all come through here, so that what must happen at
every turn (text made plain, the context kept, the counts handed to the monitor) happens once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace

from app.assistant.events import (
    Alert,
    Failed,
    Finished,
    Held,
    Loaded,
    Notice,
    PrepareEvent,
    Ready,
    Support,
    TurnEvent,
)
from app.assistant.grounding import Lookup, Reference, judged
from app.assistant.leadin import LeadIn
from app.assistant.model import Model
from app.assistant.notices import SYSTEM_PROMPT, remarks_on, without_reference
from app.assistant.ports import TurnListener, Usage
from app.assistant.progress import AnswerInProgress
from app.assistant.triage import Triage
from app.conversation.turns import Answer, Conversation
from app.engine.messages import Load, Sampling
from app.engine.ports import Engine
from app.errors import BedsideError, UsageError
from app.safety import Card, Question
from app.sanitise import clean


class Assistant:
    """One model and one conversation. Turns come one at a time."""

    def __init__(
        self,
        engine: Engine,
        load: Load,
        *,
        sampling: Sampling | None = None,
        demonstration: bool = False,
        listener: TurnListener | None = None,
        advise_on_memory: Callable[[int], str] = lambda _available: "",
        triage: Triage | None = None,
        reference: Callable[[], Reference] | None = None,
    ) -> None:
        """Nothing is started before `prepare`.

        Args:
            engine: the engine's client.
            load: which model, and how.
            sampling: how tokens are chosen.
            demonstration: the catalogue calls the model one; every answer is then marked.
            listener: learns the counts and times of each turn.
            advise_on_memory: what to do when so many bytes do not suffice, as a sentence.
            triage: hears every question before the model does.
            reference: makes what passages are looked for in; called once, in a thread.
        """
        self.demonstration = demonstration
        self.conversation = Conversation()
        self.usage = Usage()
        self._engine = engine
        self._model = Model(engine, load, advise_on_memory)
        self._sampling = sampling or Sampling()
        self._listener = listener
        self._triage = triage
        self._lookup = Lookup(reference) if reference is not None else None
        self._lead_in = LeadIn(self.conversation, engine, self._lookup)
        self._answering = self._stopping = False
        self._prepared = False
        self._awaited = asyncio.Event()
        self._failure: Failed | None = None

    @property
    def model(self) -> Loaded | None:
        """The model that answers; None until `prepare` got so far."""
        return self._model.loaded

    async def prepare(self) -> AsyncGenerator[PrepareEvent, None]:
        """Load the model and let it read the fixed prompt; ends with Ready or Failed.

        A question may be asked meanwhile: the red flags hear it at once, the model when it can.
        Rules and reference are read while the engine's process loads the model. Its first event
        comes when a screen has long been painted; before, they would take turns with it.
        """
        beside = False
        try:
            async with aclosing(self._model.prepare()) as events:
                async for event in events:
                    if not beside and (trouble := await self._read_beside()) is not None:
                        yield trouble
                    beside = True
                    self._take_prepared(event)
                    yield event
        except BedsideError as error:
            self._failure = Failed("internal", str(error))
            raise
        finally:
            self._prepared = True
            self._awaited.set()

    async def _read_beside(self) -> Notice | None:
        """Read what the first question needs, in a thread.

        Without a reference questions are answered; without red flags none is. Raises
        BadInputError.
        """
        if self._triage is not None:
            await asyncio.to_thread(self._triage.prepare)
        if self._lookup is not None:
            try:
                await asyncio.to_thread(self._lookup.prepare)
            except BedsideError as error:
                return Notice(without_reference(error))
        return None

    def _take_prepared(self, event: PrepareEvent) -> None:
        self._failure = event if isinstance(event, Failed) else None
        if isinstance(event, Loaded) and self._listener is not None:
            self._listener.model_loaded(event)
        if isinstance(event, Ready):
            self.usage = self._model.fixed

    def ask(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """Answer a question. The stream raises UsageError while another one runs."""
        return self._turn(lambda: self.conversation.ask(clean(question)))

    def resend(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """Ask the last question in other words; the model forgets the earlier wording.

        Also where the new wording is refused: the screen shows it as the last question then, and
        what is asked again is what the screen shows.
        """

        def replace_last() -> None:
            self.conversation.take_back()
            self.conversation.ask(clean(question))

        return self._turn(replace_last, instead=True)

    def regenerate(self) -> AsyncGenerator[TurnEvent, None]:
        """Answer the last question once more; the earlier answer is kept beside it.

        Where a card stood alone, this is how the model is asked all the same.
        """
        return self._turn(lambda: None, heard=True)

    @property
    def alert(self) -> Alert | None:
        """The worst red flag of this conversation."""
        return self._triage.alert if self._triage is not None else None

    @property
    def clinician(self) -> bool:
        """Whether a clinician reads the screen."""
        return self._triage is not None and self._triage.mode == "clinician"

    def confirm(self, question: Question) -> Alert | None:
        """A yes to one of the questions that were offered; it may raise an alert."""
        alert = self._triage.confirm(question) if self._triage is not None else None
        if alert is not None and self.conversation.turns:
            self.conversation.flag([alert.noted])
        return alert

    @property
    def questions(self) -> tuple[Question, ...]:
        """The yes/no questions that stand, the first to be asked first."""
        return self._triage.questions if self._triage is not None else ()

    def deny(self, question: Question) -> None:
        """A no to one of the questions that were offered."""
        if self._triage is not None:
            self._triage.deny(question)

    def help_card(self) -> Card | None:
        """What is shown to somebody in a crisis, whenever they ask for it."""
        return self._triage.help_card() if self._triage is not None else None

    async def stop(self) -> None:
        """End the running answer; its stream then ends with Finished."""
        if self._answering:
            self._stopping = True
            self._awaited.set()
            await self._engine.cancel()

    async def new_conversation(self) -> None:
        """Forget this conversation, here and in the engine. Raises EngineError, UsageError."""
        with self._alone():
            self.conversation.clear()
            if self._triage is not None:
                self._triage.clear()
            await self._engine.reset()
            self.usage = self._model.fixed

    async def close(self) -> None:
        """End the engine."""
        await self._engine.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Turns do not overlap."""
        if self._answering:
            raise UsageError("An answer is still being written. Stop it first.")
        self._answering, self._stopping = True, False
        try:
            yield
        finally:
            self._answering = False

    async def _turn(
        self,
        begin: Callable[[], None],
        *,
        heard: bool = False,
        instead: bool = False,
    ) -> AsyncGenerator[TurnEvent, None]:
        """One turn, from the question's place in the conversation to the last event.

        Args:
            begin: puts the question there.
            heard: the red flags heard this question before.
            instead: it stands in the place of the last one.
        """
        with self._alone():
            begin()
            said: list[TurnEvent] = [] if heard else self._hear(instead)
            for event in said:
                yield event
            if Held() in said:
                return
            if not await self._until_prepared():
                self.conversation.add_answer(Answer("", "cancelled"))
                yield Finished("cancelled", 0, 0, 0, 0, 0.0, 0.0, 0)
                return
            told = self._failure or await self._lead_in.prepare(self.usage.context)
            if isinstance(told, Failed):
                yield told
                return
            for event in told:
                yield event
            async with aclosing(self._stream(heard)) as events:
                async for event in events:
                    yield event

    async def _until_prepared(self) -> bool:
        """Wait for the model, or its failure; False where the person did not want to."""
        while not self._prepared and not self._stopping:
            self._awaited.clear()
            await self._awaited.wait()
        return self._prepared

    def _hear(self, instead: bool) -> list[TurnEvent]:
        """What the red flags say of the question, and which of theirs it answers. The last is Held
        where the card stands alone. Noted is also the alert that stood before."""
        if self._triage is None:
            return []
        question = self.conversation.last.question
        alerts = self._triage.hear(question, instead=instead)
        self.conversation.flag([one.noted for one in (*alerts, self.alert) if one is not None])
        answered = self._triage.take_answers(question)
        held = Held() if any(map(self._triage.holds, alerts)) else None
        return [one for one in (*alerts, answered, held) if one is not None]

    async def _stream(self, heard: bool) -> AsyncGenerator[TurnEvent, None]:
        """The engine's answer, noted in the conversation however it ends."""
        progress = AnswerInProgress()
        messages = self.conversation.messages(SYSTEM_PROMPT)
        earlier = len(self.conversation.last.answers)  # the same seed would say the same again
        sampling = replace(self._sampling, seed=self._sampling.seed + earlier)
        try:
            async with aclosing(self._engine.generate(messages, sampling)) as events:
                async for event in events:
                    if self._stopping:  # asked before the engine had the question, it was lost
                        self._stopping = False
                        await self._engine.cancel()
                    shown = progress.take(event)
                    if progress.last is not None:
                        support = self._note(progress)
                        shown[-1:-1] = self._afterwards(support, heard)
                    for one in shown:
                        yield one
        finally:
            if progress.last is None:  # whoever read the stream went away
                self._note(progress)

    def _afterwards(self, support: Support | None, heard: bool) -> list[TurnEvent]:
        """What is said about an answer, before its end is."""
        question = self.conversation.last.question
        asked = self._triage.ask_about(question) if self._triage and not heard else None
        return [one for one in (support, asked) if one is not None]

    def _note(self, progress: AnswerInProgress) -> Support | None:
        """Keep the answer and the counts, before the screen learns of the end.

        Returns:
            How far the answer stands in its passages; None without either.
        """
        last, answer, passages = progress.last, progress.answer, self.conversation.last.passages
        support = judged(answer.text, passages) if answer.text and passages else None
        if answer.text or answer.reason != "failed":
            remarks = tuple(remarks_on(support)) if support is not None else ()
            self.conversation.add_answer(replace(answer, remarks=remarks))
        if isinstance(last, Finished):
            self.usage = Usage(last.prompt_tokens + last.generated, self.usage.context)
            if self._listener is not None:
                self._listener.turn_finished(
                    last, progress.asked_at, progress.first_text_at, time.monotonic()
                )
        return support
