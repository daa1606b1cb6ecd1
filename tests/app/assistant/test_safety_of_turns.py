"""What stands before the model, and after it: red flags, passages, support."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import permutations
from typing import TypeVar

import pytest

from app.assistant.assistant import Assistant
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
    Ready,
    Support,
    Text,
    TurnEvent,
)
from app.assistant.rulebook import red_flags
from app.assistant.triage import Triage
from app.engine.messages import EngineSettings, Load
from app.errors import BadInputError
from app.knowledge.passage import Passage
from app.safety import Level, Mode, Question
from tests.app.assistant.fakes import FINISHED, FakeEngine

Item = TypeVar("Item")

EMERGENCY = "I have crushing chest pain and my left arm is numb"
HARMLESS = "What helps against a stuffy nose?"
CRISIS = "I want to kill myself"
GLAUCOMA = Passage(
    id=1,
    title="Glaucoma - symptoms",
    source="A leaflet",
    url="",
    date="2026-01-02",
    licence="CC BY 4.0",
    text="Glaucoma often has no symptoms at first. Side vision is lost slowly.",
    score=1.0,
)


class FakeReference:
    """Finds what it was given, and notes what it was asked."""

    def __init__(self, *passages: Passage, fails: str = "") -> None:
        self.passages, self.fails = passages, fails
        self.asked: list[str] = []
        self.earlier: list[str] = []
        self.prepared = 0

    def prepare(self) -> None:
        self.prepared += 1
        if self.fails:
            raise BadInputError(self.fails)

    def search(
        self, question: str, limit: int = 3, *, earlier: Sequence[str] = ()
    ) -> Sequence[Passage]:
        self.asked.append(question)
        self.earlier = list(earlier)
        if self.fails:
            raise BadInputError(self.fails)
        return self.passages


async def collect(stream: AsyncIterator[Item]) -> list[Item]:
    return [item async for item in stream]


def scene(
    mode: Mode = "patient", reference: FakeReference | None = None
) -> tuple[Assistant, FakeEngine]:
    engine = FakeEngine()
    triage = Triage(red_flags, mode, "112", "0800 111")
    load = Load("model.gguf", EngineSettings(context=512))
    make = None if reference is None else lambda: reference
    return Assistant(engine, load, triage=triage, reference=make), engine


def play(assistant: Assistant, *questions: str) -> list[list[TurnEvent]]:
    """The events of each question, on a model that is loaded."""

    async def turns() -> list[list[TurnEvent]]:
        await collect(assistant.prepare())
        return [await collect(assistant.ask(question)) for question in questions]

    return asyncio.run(turns())


def test_the_card_stands_alone_and_the_model_is_not_asked() -> None:
    assistant, engine = scene()
    (events,) = play(assistant, EMERGENCY)
    alert, held = events
    assert isinstance(alert, Alert)
    assert alert.card.level is Level.CALL
    assert "112" in alert.card.head
    assert held == Held()
    assert engine.asked == []


def test_the_alert_comes_before_a_model_is_there() -> None:
    assistant, engine = scene()

    async def first() -> TurnEvent:
        return await anext(assistant.ask(CRISIS))

    event = asyncio.run(first())
    assert isinstance(event, Alert)
    assert engine.asked == []


def test_the_model_is_asked_all_the_same_when_the_person_wants_it() -> None:
    assistant, engine = scene()

    async def turns() -> list[TurnEvent]:
        await collect(assistant.prepare())
        await collect(assistant.ask(EMERGENCY))
        return await collect(assistant.regenerate())

    events = asyncio.run(turns())
    assert not any(isinstance(event, Alert | Held) for event in events)
    assert isinstance(events[-1], Finished)
    assert len(engine.asked) == 1


def test_in_a_crisis_the_card_is_first_and_the_model_follows() -> None:
    assistant, _engine = scene()
    (events,) = play(assistant, CRISIS)
    assert isinstance(events[0], Alert)
    assert events[0].card.level is Level.CRISIS
    assert "0800 111" in events[0].card.head
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Text) for event in events)


def test_later_belittling_clears_nothing_and_raises_nothing_anew() -> None:
    assistant, _engine = scene()
    first, second = play(assistant, EMERGENCY, "My family says it is nothing, forget it")
    assert isinstance(first[0], Alert)
    assert not any(isinstance(event, Alert | Held) for event in second)
    assert assistant.alert is not None
    assert assistant.alert.card.level is Level.CALL


def test_an_emergency_said_again_is_shown_again() -> None:
    assistant, _engine = scene()
    _first, second = play(assistant, EMERGENCY, EMERGENCY)
    assert isinstance(second[0], Alert)
    assert second[-1] == Held()


def test_signs_of_several_turns_count_together() -> None:
    assistant, _engine = scene()
    first, second = play(
        assistant, "My son has a high fever since this morning", "Now his neck is very stiff"
    )
    assert not any(isinstance(event, Held) for event in first)
    assert isinstance(second[0], Alert)
    assert second[0].card.level is Level.CALL


FACE = "My face is drooping on one side"
LEVELS = {EMERGENCY: Level.CALL, FACE: Level.CALL, CRISIS: Level.CRISIS}


def alerts_in(events: Sequence[TurnEvent]) -> list[Level]:
    return [event.card.level for event in events if isinstance(event, Alert)]


@pytest.mark.parametrize("mode", ["patient", "clinician"])
@pytest.mark.parametrize("first, second", permutations((EMERGENCY, FACE, CRISIS), 2))
def test_two_alerts_in_any_order_and_then_the_model_is_asked_again(
    first: str, second: str, mode: Mode
) -> None:
    assistant, engine = scene(mode)
    one, two, harmless = play(assistant, first, second, HARMLESS)
    assert alerts_in(one) == [LEVELS[first]]
    assert alerts_in(two) == [LEVELS[second]]
    for said, events in ((first, one), (second, two)):
        held = mode == "patient" and LEVELS[said] is Level.CALL
        assert (events[-1] == Held()) is held
    assert alerts_in(harmless) == [] and isinstance(harmless[-1], Finished)
    assert engine.asked[-1][0][-1].content == HARMLESS
    assert assistant.alert is not None and assistant.alert.card.level is Level.CALL
    again, restated = play(assistant, HARMLESS, first)
    assert alerts_in(again) == [] and alerts_in(restated) == [LEVELS[first]]


def test_an_emergency_that_is_a_crisis_too_shows_both_and_the_model_waits() -> None:
    assistant, engine = scene()
    both, harmless = play(assistant, f"{EMERGENCY}. {CRISIS}", HARMLESS)
    assert alerts_in(both) == [Level.CALL, Level.CRISIS] and both[-1] == Held()
    noted = assistant.conversation.turns[0].alerts
    assert len(noted) == 2 and "Call 112 now." in noted[0] and "0800 111" in noted[1]
    assert alerts_in(harmless) == [] and len(engine.asked) == 1


def test_a_combination_over_turns_is_raised_beside_an_alert_that_stands() -> None:
    assistant, _engine = scene()
    breathless, fever, neck, thanks = play(
        assistant,
        "My dad can not breathe at all",
        "My son has a fever of 39.5",
        "And now he has a stiff neck",
        "Thank you",
    )
    assert alerts_in(breathless) == [Level.CALL]
    assert alerts_in(fever) == []
    alert = neck[0]
    assert isinstance(alert, Alert) and "meningitis" in alert.card.title
    assert neck[-1] == Held()
    assert alerts_in(thanks) == []


def test_a_yes_raises_its_alert_beside_one_that_stands_and_it_does_not_stay_in_the_way() -> None:
    assistant, _engine = scene()
    worst = Question("Is it the worst of your life?", "the worst headache of my life, suddenly")
    play(assistant, EMERGENCY)
    alert = assistant.confirm(worst)
    assert alert is not None and alert.card.title == "Sudden or worst headache"
    (harmless,) = play(assistant, HARMLESS)
    assert alerts_in(harmless) == []


def test_a_question_that_was_held_is_held_again_in_other_words() -> None:
    """Also where it raised its alert only together with an earlier turn."""
    assistant, engine = scene()
    play(assistant, "My son has a fever of 39.5", "And now he has a stiff neck")
    for wording, held in (("And now he has a stiff neck!", True), ("What is gout?", False)):
        events = asyncio.run(collect(assistant.resend(wording)))
        assert (events[-1] == Held()) is held
        assert alerts_in(events) == [Level.CALL] * held
    assert len(engine.asked) == 2
    assert assistant.alert is not None, "and it takes nothing back"


def test_a_clinician_gets_one_line_and_the_answer() -> None:
    assistant, engine = scene("clinician")
    (events,) = play(assistant, EMERGENCY)
    alert = events[0]
    assert isinstance(alert, Alert)
    assert not alert.patient
    assert "\n" not in alert.line
    assert isinstance(events[-1], Finished)
    assert len(engine.asked) == 1


def test_a_new_conversation_begins_without_the_alert() -> None:
    assistant, _engine = scene()

    async def turns() -> None:
        await collect(assistant.prepare())
        await collect(assistant.ask(EMERGENCY))
        await assistant.new_conversation()

    asyncio.run(turns())
    assert assistant.alert is None


def test_a_yes_raises_what_it_must_and_each_complaint_is_asked_about_once() -> None:
    assistant, _engine = scene()
    first, second = play(assistant, "I have a bad headache", "My headache is still there")
    asked = [event for event in first if isinstance(event, Asked)]
    assert len(asked) == 1
    assert 2 <= len(asked[0].questions) <= 4
    assert not any(isinstance(event, Asked) for event in second)
    raised = [assistant.confirm(question) for question in asked[0].questions]
    assert any(alert is not None for alert in raised)


def test_a_denied_question_leaves_and_a_no_is_kept() -> None:
    assistant, _engine = scene()
    first, second = play(assistant, "It burns when I pee", "I have no fever and I am not pregnant")
    offered = next(event for event in first if isinstance(event, Asked)).questions
    [answered] = [event for event in second if isinstance(event, Answered)]
    assert set(answered.questions) < set(offered)
    assert assistant.questions == tuple(one for one in offered if one not in answered.questions)
    for question in assistant.questions:
        assistant.deny(question)
    assert assistant.questions == ()
    assert assistant.alert is None


def test_questions_leave_with_the_conversation() -> None:
    assistant, _engine = scene()
    play(assistant, "I have a bad headache")
    assert assistant.questions
    asyncio.run(assistant.new_conversation())
    assert assistant.questions == ()


def test_the_questions_before_go_along_to_the_reference() -> None:
    reference = FakeReference(GLAUCOMA)
    assistant, _engine = scene(reference=reference)
    play(assistant, "What is glaucoma?", EMERGENCY, "Is it hereditary?")
    assert reference.earlier == ["What is glaucoma?", EMERGENCY]


def test_harmless_questions_raise_nothing() -> None:
    assistant, _engine = scene()
    (events,) = play(assistant, HARMLESS)
    assert not any(isinstance(event, Alert | Asked | Held) for event in events)


def test_an_emergency_inside_a_huge_paste_is_heard_although_the_paste_is_refused() -> None:
    assistant, _engine = scene()
    (events,) = play(assistant, f"{EMERGENCY}. {'word ' * 200_000}")
    assert isinstance(events[0], Alert)


def test_passages_travel_in_the_turn_and_stay_as_they_were_sent() -> None:
    reference = FakeReference(GLAUCOMA)
    assistant, engine = scene(reference=reference)
    first, _second = play(assistant, "What is glaucoma?", HARMLESS)
    assert first[0] == Passages((GLAUCOMA,))
    assert isinstance(first[1], Prefill)
    sent = engine.asked[0][0][-1].content
    assert "no symptoms at first" in sent
    assert sent.endswith("Question: What is glaucoma?")
    assert engine.asked[1][0][1].content == sent
    assert reference.asked == ["What is glaucoma?", HARMLESS]


def test_another_answer_leans_on_the_same_passages() -> None:
    reference = FakeReference(GLAUCOMA)
    assistant, engine = scene(reference=reference)

    async def turns() -> list[TurnEvent]:
        await collect(assistant.prepare())
        await collect(assistant.ask("What is glaucoma?"))
        return await collect(assistant.regenerate())

    events = asyncio.run(turns())
    assert events[0] == Passages((GLAUCOMA,))
    assert len(reference.asked) == 1
    assert engine.asked[0][0] == engine.asked[1][0]


def test_no_passage_is_said() -> None:
    assistant, engine = scene(reference=FakeReference())
    (events,) = play(assistant, HARMLESS)
    assert events[0] == Passages(())
    assert engine.asked[0][0][-1].content == HARMLESS


def test_sentences_that_are_not_in_the_passages_are_counted() -> None:
    assistant, engine = scene(reference=FakeReference(GLAUCOMA))
    engine.answer = [
        Text("Glaucoma often has no symptoms at first. Take ibuprofen 400 mg every hour.", 9),
        FINISHED,
    ]
    (events,) = play(assistant, "What is glaucoma?")
    support, finished = events[-2:]
    assert isinstance(support, Support)
    assert support.sentences == 2
    assert len(support.unsupported) == 1
    assert "ibuprofen" in support.unsupported[0]
    assert "400 mg" in support.doses[0]
    assert isinstance(finished, Finished)
    (answer,) = assistant.conversation.last.answers  # what is exported and kept
    assert answer.remarks[0] == "1 of 2 sentences is not in the sources."
    assert answer.remarks[1].startswith("Check with a pharmacist") and "400 mg" in answer.remarks[1]


def test_a_broken_reference_is_said_and_the_answer_comes() -> None:
    assistant, _engine = scene(reference=FakeReference(fails="The index is damaged."))
    (events,) = play(assistant, HARMLESS)
    assert isinstance(events[0], Notice)
    assert "The index is damaged." in events[0].sentence
    assert isinstance(events[-1], Finished)


def test_the_reference_is_opened_while_the_model_loads_and_its_trouble_is_said_then() -> None:
    reference = FakeReference(fails="The index is damaged.")
    assistant, _engine = scene(reference=reference)
    assert reference.prepared == 0
    events = asyncio.run(collect(assistant.prepare()))
    assert isinstance(events[0], Notice) and "The index is damaged." in events[0].sentence
    assert isinstance(events[-1], Ready)
    assert (reference.prepared, reference.asked) == (1, [])


def test_the_alerts_that_stand_are_noted_at_their_turns() -> None:
    assistant, _engine = scene()
    play(assistant, HARMLESS, EMERGENCY, "What is gout?", CRISIS)
    none, chest, gout, crisis = [turn.alerts for turn in assistant.conversation.turns]
    assert none == ()
    assert len(chest) == 1 and "Call 112 now." in chest[0]
    assert gout == chest, "it stays for the session"
    assert len(crisis) == 2 and "0800 111" in crisis[0] and crisis[1] == chest[0]


def test_a_clinicians_alert_is_noted_as_its_line() -> None:
    assistant, _engine = scene("clinician")
    play(assistant, EMERGENCY)
    assert assistant.conversation.last.alerts[0].startswith("CALL NOW · ")


def test_a_confirmed_question_is_noted_at_the_turn_it_followed() -> None:
    assistant, _engine = scene()
    question = Question("Is it the worst of your life?", "the worst headache of my life, suddenly")
    assert assistant.confirm(question) is not None, "nothing was asked yet, and nothing breaks"
    assistant, _engine = scene()
    play(assistant, HARMLESS)
    alert = assistant.confirm(question)
    assert alert is not None
    assert assistant.conversation.last.alerts == (alert.noted,)


def test_a_model_that_cannot_be_loaded_ends_the_turn_that_waited_for_it() -> None:
    assistant, engine = scene()
    engine.loading = [Failed("bad_model", "It is no model.")]
    (events,) = play(assistant, HARMLESS)
    assert events == [Failed("bad_model", "It is no model.")]
