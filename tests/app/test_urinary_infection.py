"""The third paper's example, from end to end: real rules, real reference, a scripted model.

A patient with frequent, burning urination asks whether it could be a urinary infection, how
urgent it is, and what to ask at the appointment; then mentions fever and back pain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar

from app.assistant.assistant import Assistant
from app.assistant.events import (
    Alert,
    Answered,
    Asked,
    Finished,
    Passages,
    Support,
    Text,
    TurnEvent,
)
from app.assistant.rulebook import red_flags
from app.assistant.triage import Triage
from app.engine.messages import EngineSettings, Load
from app.knowledge.reference import Reference
from app.safety import Level
from tests.app.assistant.fakes import FakeEngine

Item = TypeVar("Item")

QUESTIONS = (
    "For three days I have had to pee all the time and it burns. "
    "Could it be a urinary tract infection?",
    "How urgent is it to see a doctor about this?",
    "What should I ask the doctor at my appointment about a urinary infection?",
    "Since this morning I also have a fever and my back hurts on one side.",
)


AT_NIGHT = (
    "I have to go often and it burns when I pee, could it be a urinary infection?",
    "How urgent is it to see a doctor?",
    "now I have a fever and my back hurts",
)
"""The same in fewer words; searched alone, the last would find other causes of a painful back."""


async def collect(stream: AsyncIterator[Item]) -> list[Item]:
    return [item async for item in stream]


def conversation(
    folder: Path, questions: Sequence[str] = QUESTIONS
) -> tuple[Assistant, FakeEngine, list[list[TurnEvent]]]:
    """The events of each question, in one session with one patient."""
    engine = FakeEngine()
    assistant = Assistant(
        engine,
        Load("model.gguf", EngineSettings(context=4096)),
        triage=Triage(red_flags, "patient", "112", "0800 111"),
        reference=lambda: Reference(folder),
    )

    async def play() -> list[list[TurnEvent]]:
        await collect(assistant.prepare())
        return [await collect(assistant.ask(question)) for question in questions]

    return assistant, engine, asyncio.run(play())


def alerts(events: list[TurnEvent]) -> list[Alert]:
    return [event for event in events if isinstance(event, Alert)]


def test_the_conversation(tmp_path: Path) -> None:
    assistant, engine, turns = conversation(tmp_path)
    first, urgent, appointment, worse = turns

    # Symptoms alone are no emergency, and the model answers over passages on the subject.
    for events in (first, urgent, appointment):
        assert not [one for one in alerts(events) if one.card.level is Level.CALL]
        assert any(isinstance(event, Text) for event in events)
        assert isinstance(events[-1], Finished)
    for events in (first, appointment):
        [passages] = [event for event in events if isinstance(event, Passages)]
        assert any("urinary" in found.title.lower() for found in passages.found)
        assert all(found.source and found.text for found in passages.found)
        assert any(isinstance(event, Support) for event in events)

    # What would make it dangerous is asked for, once.
    asked = [event for events in turns for event in events if isinstance(event, Asked)]
    assert len({one.id for one in asked}) == len(asked)

    # A fever and a painful back with it may be the kidneys: today at least, before the model.
    [alert] = alerts(worse)
    assert alert.card.level >= Level.TODAY
    assert worse[0] is alert
    assert assistant.alert is not None
    assert assistant.alert.card == alert.card

    # What is found for it is still about the urine, and what was told is asked no more.
    [passages] = [event for event in worse if isinstance(event, Passages)]
    assert any(name in passages.found[0].title.lower() for name in ("urinary", "kidney inf"))
    [answered] = [event for event in worse if isinstance(event, Answered)]
    assert [one.ask for one in answered.questions] == [asked[0].questions[0].ask]
    assert asked[0].questions[0] not in assistant.questions
    assert len(assistant.questions) <= 4

    # The model saw the passages as part of the question, never the card.
    sent = [message.content for messages, _ in engine.asked for message in messages]
    assert any("urinary" in content.lower() for content in sent)
    assert not any(alert.card.head in content for content in sent)


def test_asked_about_fever_a_yes_raises_it_too(tmp_path: Path) -> None:
    """Whoever only answers the offered questions gets as far as whoever tells it all."""
    assistant, _, turns = conversation(tmp_path)
    asked = [event for event in turns[0] if isinstance(event, Asked)]
    assert asked, "frequent, burning urination is a complaint with questions"
    raised = [assistant.confirm(question) for question in asked[0].questions]
    assert any(alert is not None and alert.card.level >= Level.TODAY for alert in raised)


def test_the_third_turn_is_searched_in_the_light_of_the_first(tmp_path: Path) -> None:
    _, engine, turns = conversation(tmp_path, AT_NIGHT)
    [passages] = [event for event in turns[2] if isinstance(event, Passages)]
    assert "urinary" in passages.found[0].title.lower()
    assert "[1] Urinary infection" in engine.asked[-1][0][-1].content
