"""One turn as a stream: made plain, fitted, noted, counted, and always ended once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from app.assistant.assistant import Assistant
from app.assistant.events import (
    Failed,
    Finished,
    Loaded,
    Loading,
    Notice,
    Prefill,
    Ready,
    Text,
    TurnEvent,
)
from app.assistant.notices import SYSTEM_PROMPT
from app.conversation.turns import Answer
from app.engine.messages import EngineSettings, Load, Sampling
from app.errors import UsageError
from tests.app.assistant.fakes import DIED, FINISHED, LOADED, FakeEngine

LOAD = Load("model.gguf", EngineSettings(context=512))
Item = TypeVar("Item")


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.models: list[Loaded] = []
        self.turns: list[tuple[Finished, float, float | None, float]] = []

    def model_loaded(self, model: Loaded) -> None:
        self.models.append(model)

    def turn_finished(
        self, finished: Finished, asked_at: float, first_text_at: float | None, ended_at: float
    ) -> None:
        self.turns.append((finished, asked_at, first_text_at, ended_at))


class Scene:
    """An assistant over a scripted engine."""

    def __init__(self, **fields: Any) -> None:
        self.engine = FakeEngine()
        self.listener = Listener()
        fields = {"listener": self.listener, "sampling": Sampling(seed=7), **fields}
        self.assistant = Assistant(self.engine, fields.pop("load", LOAD), **fields)

    async def ready(self) -> Scene:
        await collect(self.assistant.prepare())
        return self

    async def ask(self, question: str = "What is it?") -> list[TurnEvent]:
        return ended(await collect(self.assistant.ask(question)))

    @property
    def sent(self) -> list[str]:
        """What the engine was last sent, after the system prompt."""
        messages, _ = self.engine.asked[-1]
        assert messages[0].content == SYSTEM_PROMPT
        return [message.content for message in messages[1:]]


async def collect(events: AsyncIterator[Item]) -> list[Item]:
    return [event async for event in events]


def ended(events: list[TurnEvent]) -> list[TurnEvent]:
    """The same events, which end with one Finished or Failed and hold no other."""
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    assert ends == events[-1:], events
    return events


def said(events: list[TurnEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def scene(play: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an asynchronous test."""

    def test() -> None:
        asyncio.run(asyncio.wait_for(play(), 10))

    test.__name__, test.__doc__ = play.__name__, play.__doc__
    return test


@scene
async def test_prepare_ends_with_ready_and_the_usage_of_the_fixed_prompt() -> None:
    one = Scene()
    events = await collect(one.assistant.prepare())
    assert events == [Loading(0.5), LOADED, Ready(LOADED)]
    assert one.assistant.model == LOADED and one.listener.models == [LOADED]
    assert (one.assistant.usage.tokens, one.assistant.usage.context) == (12, 512)


@scene
async def test_prepare_ends_with_the_failure_and_its_advice() -> None:
    one = Scene(advise_on_memory=lambda available: f"Choose one of {available} bytes.")
    one.engine.loading = [Failed("memory", "Too little.", {"needed": 9, "available": 5})]
    (failed,) = await collect(one.assistant.prepare())
    assert isinstance(failed, Failed)
    assert failed.sentence == "Too little. Choose one of 5 bytes."


@scene
async def test_a_template_that_fails_is_told_before_anything_is_asked() -> None:
    one = Scene()
    one.engine.warmed = Failed("template", "It fails.")
    assert (await collect(one.assistant.prepare()))[-1] == one.engine.warmed


@scene
async def test_a_context_that_memory_made_smaller_is_said() -> None:
    one = Scene(load=replace(LOAD, settings=EngineSettings(context=4096)))
    events = await collect(one.assistant.prepare())
    assert Notice("Memory allows a context of 512 tokens instead of 1024.") in events


@scene
async def test_an_answer_is_streamed_noted_and_counted_once() -> None:
    one = await Scene().ready()
    events = await one.ask()
    assert events == [Prefill(0, 20, 10), Text("Yes.", 1), FINISHED]
    assert one.assistant.conversation.last.answers == (Answer("Yes.", "stop"),)
    assert one.assistant.usage.tokens == 33
    ((finished, asked, first, end),) = one.listener.turns
    assert finished == FINISHED and first is not None and asked <= first <= end


@scene
async def test_the_answer_is_noted_before_its_last_event_is_seen() -> None:
    one = await Scene().ready()
    async for event in one.assistant.ask("A?"):
        if isinstance(event, Finished):
            assert one.assistant.conversation.last.answer == Answer("Yes.", "stop")
            assert len(one.listener.turns) == 1


@scene
async def test_control_sequences_are_stripped_also_when_split() -> None:
    one = await Scene().ready()
    pieces = ["a\x1b", "]52;c;", "cm0g\x07b\u202e", "c\x9b3", "1md[/]"]
    one.engine.answer = [*(Text(piece, 1) for piece in pieces), FINISHED]
    events = await one.ask()
    assert said(events) == "abcd[/]"
    assert one.assistant.conversation.last.answer == Answer("abcd[/]", "stop")


@scene
async def test_what_was_held_back_is_said_before_the_end() -> None:
    one = await Scene().ready()
    one.engine.answer = [Text("take 5\r", 1), Text("\nnow\r", 2), FINISHED]
    assert said(await one.ask()) == "take 5\nnow"


@scene
async def test_an_answer_of_nothing_visible_has_no_first_text() -> None:
    one = await Scene().ready()
    one.engine.answer = [Text("\x1b[2J\u200b", 1), FINISHED]
    assert said(await one.ask()) == ""
    assert one.listener.turns[0][2] is None


@scene
async def test_the_question_is_made_plain_too() -> None:
    one = await Scene().ready()
    await one.ask("a\x1b[2Jb\x00\ud800 <|im_end|> [/]")
    assert one.sent == ["ab\ufffd <|im_end|> [/]"]


@scene
async def test_the_conversation_is_sent_with_each_question() -> None:
    one = await Scene().ready()
    await one.ask("A?")
    await one.ask("B?")
    assert one.sent == ["A?", "Yes.", "B?"]


@scene
async def test_another_answer_keeps_the_first_and_uses_another_seed() -> None:
    one = await Scene().ready()
    await one.ask("A?")
    one.engine.answer = [Text("No.", 1), FINISHED]
    ended(await collect(one.assistant.regenerate()))
    answers = one.assistant.conversation.last.answers
    assert answers == (Answer("Yes.", "stop"), Answer("No.", "stop"))
    assert one.sent == ["A?"], "the first answer is no part of the question"
    assert [sampling.seed for _, sampling in one.engine.asked] == [7, 8]
    await one.ask("B?")
    assert one.sent == ["A?", "No.", "B?"]


@scene
async def test_resend_replaces_the_last_turn() -> None:
    one = await Scene().ready()
    await one.ask("A?")
    await one.ask("B?")
    ended(await collect(one.assistant.resend("C?")))
    assert one.sent == ["A?", "Yes.", "C?"]
    assert [turn.question for turn in one.assistant.conversation.turns] == ["A?", "C?"]


@scene
async def test_there_is_nothing_to_repeat_before_the_first_question() -> None:
    one = await Scene().ready()
    for events in (one.assistant.regenerate(), one.assistant.resend("A?")):
        with pytest.raises(UsageError, match="Nothing has been asked"):
            await collect(events)
    ended(await one.ask())


@scene
async def test_a_second_question_while_one_is_answered_is_refused() -> None:
    one = await Scene().ready()
    running = one.assistant.ask("A?")
    await anext(running)
    for act in (one.assistant.ask, one.assistant.resend):
        with pytest.raises(UsageError, match="still being written"):
            await collect(act("B?"))
    with pytest.raises(UsageError):
        await collect(one.assistant.regenerate())
    with pytest.raises(UsageError):
        await one.assistant.new_conversation()
    ended([Prefill(0, 20, 10), *await collect(running)])
    assert [turn.question for turn in one.assistant.conversation.turns] == ["A?"]
    ended(await one.ask("B?"))


@scene
async def test_a_stopped_answer_is_kept_as_far_as_it_came() -> None:
    one = await Scene().ready()
    one.engine.answer = [Text("Yes, ", 1), Text("but", 2), FINISHED]
    events = []
    async for event in one.assistant.ask("A?"):
        events.append(event)
        if isinstance(event, Text):
            await one.assistant.stop()
    last = ended(events)[-1]
    assert isinstance(last, Finished) and last.reason == "cancelled"
    assert one.assistant.conversation.last.answer == Answer("Yes, ", "cancelled")


@scene
async def test_a_stop_before_the_engine_has_the_question_is_not_lost() -> None:
    """Esc right after Enter, while tokens are counted or a dead engine comes back."""
    one = await Scene().ready()
    one.engine.counting.clear()
    turn = asyncio.create_task(one.ask("A?"))
    await asyncio.sleep(0)
    await one.assistant.stop()
    one.engine.counting.set()
    last = (await turn)[-1]
    assert isinstance(last, Finished) and last.reason == "cancelled"
    assert isinstance((await one.ask("B?"))[-1], Finished)
    assert one.assistant.conversation.last.answer == Answer("Yes.", "stop")


@scene
async def test_a_stop_of_nothing_is_nothing() -> None:
    one = await Scene().ready()
    await one.assistant.stop()
    assert one.engine.cancels == 0
    await one.ask("A?")
    assert one.assistant.conversation.last.answer == Answer("Yes.", "stop")


@scene
async def test_an_engine_that_dies_is_told_with_comfort_and_the_text_is_kept() -> None:
    one = await Scene().ready()
    one.engine.answer = [Text("Yes, ", 1), DIED]
    last = (await one.ask("A?"))[-1]
    assert isinstance(last, Failed) and last.code == "died"
    assert last.sentence.startswith(DIED.sentence) and "conversation is whole" in last.sentence
    assert one.assistant.conversation.last.answer == Answer("Yes, ", "failed")
    assert one.listener.turns == []
    one.engine.answer = [Text("No.", 1), FINISHED]
    await one.ask("B?")
    assert one.sent == ["A?", "Yes, ", "B?"]


@scene
async def test_an_engine_that_dies_before_a_word_leaves_the_question() -> None:
    one = await Scene().ready()
    one.engine.answer = [DIED]
    await one.ask("A?")
    assert one.assistant.conversation.last.answer is None
    one.engine.answer = [Text("Yes.", 1), FINISHED]
    ended(await collect(one.assistant.regenerate()))
    assert one.assistant.conversation.last.answers == (Answer("Yes.", "stop"),)


@scene
async def test_a_failure_to_count_ends_the_turn_and_the_next_works() -> None:
    one = await Scene().ready()
    one.engine.counting_fails = "It died."
    assert await one.ask("A?") == [Failed("internal", "It died.")]
    one.engine.counting_fails = ""
    ended(await one.ask("B?"))


@scene
async def test_a_reader_that_leaves_is_a_stop() -> None:
    one = await Scene().ready()
    one.engine.answer = [Text("Yes, ", 1), Text("but", 2), FINISHED]
    stream = one.assistant.ask("A?")
    await anext(stream)
    await stream.aclose()
    assert one.assistant.conversation.last.answer == Answer("Yes, ", "cancelled")
    ended(await one.ask("B?"))


@scene
async def test_a_question_that_is_too_long_is_refused_and_harms_nothing() -> None:
    one = await Scene().ready()
    await one.ask("A?")
    one.engine.tokens_per_character = 1.0
    (failed,) = await one.ask("x" * 500)
    assert isinstance(failed, Failed) and failed.code == "context"
    assert "512 tokens" in failed.sentence and "Shorten it" in failed.sentence
    assert one.assistant.conversation.forgotten == 0, "nothing left for it in vain"
    await one.ask("B?")
    assert one.sent == ["A?", "Yes.", "B?"]


@scene
async def test_a_paste_of_a_megabyte_is_refused_without_counting() -> None:
    one = await Scene().ready()
    (failed,) = await one.ask("x" * 1_000_000)
    assert isinstance(failed, Failed) and failed.code == "context"
    assert one.engine.counts == 0


@scene
async def test_a_refused_resend_stays_the_last_question() -> None:
    one = await Scene().ready()
    await one.ask("A?")
    longer = "x" * 1_000_000
    for refused in (one.assistant.resend(longer), one.assistant.regenerate()):
        (failed,) = await collect(refused)
        assert isinstance(failed, Failed) and failed.code == "context"
        (turn,) = one.assistant.conversation.turns
        assert (turn.question, turn.answers) == (longer, ())
    assert len(one.engine.asked) == 1, "what the screen shows as changed is not answered again"
    ended(await collect(one.assistant.resend("B?")))
    assert one.sent == ["B?"]


@scene
async def test_old_turns_leave_in_one_step_and_it_is_said() -> None:
    one = await Scene().ready()
    one.engine.tokens_per_character = 1.0
    notices: list[tuple[int, str]] = []
    for number in range(12):
        for event in await one.ask(f"{number:02}" + "x" * 68):
            if isinstance(event, Notice):
                notices.append((number, event.sentence))
    assert len(one.assistant.conversation.turns) == 12, "nothing leaves the screen"
    (first, sentence), *later = notices
    assert "forgotten them" in sentence and "stay on the screen" in sentence
    assert "oldest 3 questions" in sentence, "until half of the context is free"
    assert first == 5 and all(number - first >= 3 for number, _ in later)
    forgotten = one.assistant.conversation.forgotten
    assert one.sent[0].startswith(f"{forgotten:02}")
    assert one.engine.counts < 12 * 3


@scene
async def test_a_new_conversation_is_forgotten_on_both_sides() -> None:
    one = await Scene().ready()
    await one.ask("A?")
    await one.assistant.new_conversation()
    assert (one.assistant.conversation.turns, one.engine.resets) == ((), 1)
    await one.ask("B?")
    assert one.sent == ["B?"]


@scene
async def test_a_listener_learns_no_words() -> None:
    one = await Scene().ready()
    one.engine.answer = [Text("Zyxomma", 1), FINISHED]
    await one.ask("Zyxomma?")
    assert "Zyxomma" not in repr(one.listener.turns) + repr(one.listener.models)


@scene
async def test_close_ends_the_engine() -> None:
    one = await Scene().ready()
    await one.assistant.close()
    assert one.engine.closed
