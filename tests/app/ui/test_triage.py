"""Red flags on the screen: before the model, until they are read, and for the whole session."""

from __future__ import annotations

import asyncio

import pytest
from textual.pilot import Pilot

from app.assistant.assistant import Assistant
from app.assistant.events import Answered, Asked
from app.assistant.notices import DEMONSTRATION
from app.assistant.rulebook import red_flags
from app.assistant.triage import Triage
from app.engine.messages import Load
from app.safety import Level, Mode, Question
from app.ui.app import BedsideApp
from app.ui.screens.card import CardScreen
from app.ui.screens.chat import ChatScreen
from app.ui.state import ChatState, Phase
from app.ui.widgets.answer import HELD
from app.ui.widgets.card import AlertCard
from tests.app.assistant.fakes import FakeEngine
from tests.app.ui.fakes import QUESTIONS, FakeAssistant, Script, alert, card
from tests.app.ui.helpers import (
    NOTICE,
    answered,
    answers,
    ask,
    chat_app,
    in_loop,
    phase,
    ready,
    screen_text,
    wait_until,
)

SIZE = (80, 30)
FOLDED = "Chest pain: Call 112 call."
STEP = "1. Sit down and stay still."
WORD = "Glaucoma"


def state(pilot: Pilot[None]) -> ChatState:
    assert isinstance(pilot.app, BedsideApp)
    return pilot.app.chat.state


def words(pilot: Pilot[None]) -> str:
    """The screen without its line ends."""
    return " ".join(screen_text(pilot).split())


@in_loop
async def test_the_card_is_on_the_screen_before_the_first_word_of_the_model() -> None:
    """Looked at in every state from the alert to the text: never text without the card."""
    assistant = FakeAssistant(
        scripts=[Script(alert=alert(Level.CRISIS))], hold_alert=asyncio.Event()
    )
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "I am in danger")
        await wait_until(pilot, lambda: STEP in screen_text(pilot))
        assert assistant.asked == []
        assert WORD not in screen_text(pilot)
        assistant.hold_alert.set()  # type: ignore[union-attr]
        seen = []

        def text_came() -> bool:
            seen.append(screen_text(pilot))
            return WORD in seen[-1]

        await wait_until(pilot, text_came)
        assert all("Call 112 crisis." in picture for picture in seen)


@in_loop
async def test_alert_and_text_at_once_are_drawn_in_one_picture() -> None:
    """With no pause between the two events, no frame shows the text alone."""
    assistant = FakeAssistant(scripts=[Script(alert=alert(Level.TODAY), prefill=())])
    app = chat_app(assistant)
    frames: list[str] = []
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        display = app._display

        def watch(screen: object, renderable: object) -> None:
            frames.append(screen_text(pilot))
            display(screen, renderable)  # type: ignore[arg-type]

        app._display = watch  # type: ignore[method-assign]
        await answered(pilot)
    assert any(WORD in frame for frame in frames)
    assert all("Chest pain" in frame for frame in frames if WORD in frame)


@in_loop
async def test_under_call_now_the_card_stands_alone_and_a_key_asks_the_model() -> None:
    assistant = FakeAssistant(scripts=[Script(alert=alert(), held=True), Script()])
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "My chest hurts")
        await wait_until(pilot, lambda: "The model was not asked." in screen_text(pilot))
        await ready(pilot)
        text = screen_text(pilot)
        for line in ("Chest pain", "Call 112 call.", "It may be the heart.", STEP, "Source: NHS"):
            assert line in text
        assert HELD in words(pilot)
        assert WORD not in text
        assert assistant.asked == []
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: answers(pilot) == 1)
        await ready(pilot)
        text = screen_text(pilot)
        assert WORD in text
        assert STEP in text
        assert "was not asked" not in text
        assert "Answer 2" not in text
        assert assistant.asked == ["regenerate"]


@in_loop
async def test_a_read_card_folds_to_a_line_that_stays() -> None:
    assistant = FakeAssistant(scripts=[Script(alert=alert(), held=True), Script()])
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "My chest hurts")
        await wait_until(pilot, lambda: state(pilot).card)
        assert "Ctrl+G: I have read this." in screen_text(pilot)
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: STEP not in screen_text(pilot))
        assert FOLDED in screen_text(pilot)
        assert not state(pilot).card
        for number in range(3):
            await answered(pilot, f"It is probably nothing {number}")
        assert FOLDED in screen_text(pilot)
        assert STEP not in screen_text(pilot)


@pytest.mark.parametrize(
    ("first", "second", "opens", "line"),
    [
        (Level.TODAY, Level.CALL, True, ""),
        (Level.UNREAD, Level.TODAY, True, ""),
        (Level.CALL, Level.CALL, True, ""),
        (Level.CALL, Level.TODAY, False, "Second: Call 112 today."),
        (Level.UNREAD, Level.UNREAD, False, "Second: Call 112 unread."),
    ],
)
@in_loop
async def test_what_a_later_alert_does(first: Level, second: Level, opens: bool, line: str) -> None:
    """A worse one opens the card again; a lesser one is a line, and the worse keeps its place."""
    scripts = [Script(alert=alert(first, "First")), Script(alert=alert(second, "Second"))]
    async with chat_app(FakeAssistant(scripts=scripts)).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "One")
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: not state(pilot).card)
        await answered(pilot, "Two")
        assert state(pilot).card is opens
        assert (STEP in screen_text(pilot)) is opens
        if opens:
            assert f"Call 112 {second.name.lower()}." in screen_text(pilot)
        else:
            await wait_until(pilot, lambda: line in words(pilot))


@in_loop
async def test_a_new_conversation_begins_without_a_card() -> None:
    script = Script(alert=alert(), asked=Asked("chest", QUESTIONS))
    async with chat_app(FakeAssistant(scripts=[script])).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("ctrl+n", "ctrl+n")
        await wait_until(pilot, lambda: state(pilot).turns == 0)
        assert "Chest pain" not in screen_text(pilot)
        assert not state(pilot).card
        assert not state(pilot).question


@in_loop
async def test_a_question_asked_while_the_model_loads_raises_its_card_at_once() -> None:
    assistant = FakeAssistant(scripts=[Script(alert=alert(Level.CRISIS))], hold=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ask(pilot, "I want to die")
        await wait_until(pilot, lambda: STEP in screen_text(pilot))
        assert phase(pilot) is Phase.WAITING
        assert assistant.asked == []
        assistant.hold.set()  # type: ignore[union-attr]
        await wait_until(pilot, lambda: WORD in screen_text(pilot))
        await ready(pilot)


@in_loop
async def test_a_held_question_while_the_model_loads_leaves_the_loading_as_it_is() -> None:
    assistant = FakeAssistant(scripts=[Script(alert=alert(), held=True)], hold=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ask(pilot, "My chest hurts")
        await wait_until(pilot, lambda: HELD in words(pilot))
        assert phase(pilot) is Phase.LOADING
        assistant.hold.set()  # type: ignore[union-attr]
        await ready(pilot)


@pytest.mark.parametrize("mode", ["patient", "clinician"])
@in_loop
async def test_an_emergency_that_is_a_crisis_too_shows_both_also_in_the_next_answer(
    mode: Mode,
) -> None:
    """From the words to the screen: the rules, the assistant and the widgets that ship."""
    engine, triage = FakeEngine(), Triage(red_flags, mode, "112", "0800 111")
    assistant = Assistant(engine, Load("model.gguf"), triage=triage)
    seen = {
        "patient": ("Chest pain", "Call 112 now.", "0800 111"),
        "clinician": ("CALL NOW · Chest pain", "CRISIS · Thoughts of suicide"),
    }[mode]
    async with chat_app(assistant).run_test(size=(100, 40)) as pilot:
        await ready(pilot)
        await ask(pilot, "I have crushing chest pain and I want to kill myself")
        last = HELD if mode == "patient" else "Yes."
        await wait_until(pilot, lambda: last in words(pilot))
        await ready(pilot)
        assert all(line in words(pilot) for line in seen)
        asked = len(engine.asked)
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: len(engine.asked) > asked)
        await ready(pilot)
        assert "Yes." in words(pilot) and HELD not in words(pilot)
        assert all(line in words(pilot) for line in seen)


@in_loop
async def test_a_clinician_sees_one_line_and_nothing_else() -> None:
    assistant = FakeAssistant(scripts=[Script(alert=alert(patient=False))], clinician=True)
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "65 M, chest pain")
        text = screen_text(pilot)
        assert "CALL NOW · Chest pain · NHS, a page" in text
        assert text.index("CALL NOW") < text.index(WORD)
        assert STEP not in text
        assert "It may be the heart." not in text
        assert not pilot.app.query_one(AlertCard).display


@in_loop
async def test_help_in_a_crisis_is_one_key_away_also_before_the_model_is_there() -> None:
    app = chat_app(FakeAssistant(hold=asyncio.Event()))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("f8")
        await wait_until(pilot, lambda: isinstance(app.screen, CardScreen))
        assert "Help in a crisis" in screen_text(pilot)
        assert "Call 112 crisis." in screen_text(pilot)
        await pilot.press("f8")
        await wait_until(pilot, lambda: isinstance(app.screen, ChatScreen))


def asking(confirms: bool = False) -> FakeAssistant:
    raised = {QUESTIONS[0].means: alert()} if confirms else {}
    return FakeAssistant(scripts=[Script(asked=Asked("chest", QUESTIONS))], confirms=raised)


@in_loop
async def test_questions_come_one_at_a_time_and_a_no_asks_the_next() -> None:
    assistant = asking()
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert f"? {QUESTIONS[0].ask} (F9 yes, F10 no; 1 more)" in screen_text(pilot)
        assert QUESTIONS[1].ask not in screen_text(pilot)
        await pilot.press("f10")
        assert f"? {QUESTIONS[1].ask} (F9 yes, F10 no)" in screen_text(pilot)
        await pilot.press("f10")
        assert QUESTIONS[1].ask not in screen_text(pilot)
        assert not state(pilot).question
        assert assistant.confirmed == []
        assert assistant.denied == [question.means for question in QUESTIONS]


@in_loop
async def test_a_yes_raises_its_card_at_once() -> None:
    assistant = asking(confirms=True)
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("f9")
        await wait_until(pilot, lambda: STEP in screen_text(pilot))
        assert assistant.confirmed == [QUESTIONS[0].means]
        assert QUESTIONS[1].ask in screen_text(pilot)


@in_loop
async def test_a_question_that_was_answered_in_words_leaves_before_the_model_speaks() -> None:
    scripts = [
        Script(asked=Asked("chest", QUESTIONS)),
        Script(answered=Answered(QUESTIONS[:1])),
        Script(answered=Answered(QUESTIONS[1:])),
    ]
    assistant = FakeAssistant(scripts=scripts)
    async with chat_app(assistant).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert f"? {QUESTIONS[0].ask} (F9 yes, F10 no; 1 more)" in screen_text(pilot)
        assistant.hold_prefill = asyncio.Event()
        await ask(pilot, "and it spreads to my arm")
        await wait_until(pilot, lambda: QUESTIONS[0].ask not in screen_text(pilot))
        assert f"? {QUESTIONS[1].ask} (F9 yes, F10 no)" in screen_text(pilot)
        assert answers(pilot) == 1, "the model has not answered yet"
        assistant.hold_prefill.set()
        await wait_until(pilot, lambda: answers(pilot) == 2)
        await ready(pilot)
        await answered(pilot, "and I am short of breath")
        assert not state(pilot).question
        assert QUESTIONS[1].ask not in screen_text(pilot)


@in_loop
async def test_questions_of_another_complaint_come_first() -> None:
    other = Question("Did you faint?", "I fainted")
    scripts = [Script(asked=Asked("chest", QUESTIONS)), Script(asked=Asked("dizzy", (other,)))]
    async with chat_app(FakeAssistant(scripts=scripts)).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await answered(pilot)
        await answered(pilot, "and I am dizzy")
        assert f"? {other.ask} (F9 yes, F10 no; 2 more)" in screen_text(pilot)
        await pilot.press("f10")
        assert f"? {QUESTIONS[0].ask} (F9 yes, F10 no; 1 more)" in screen_text(pilot)


@in_loop
async def test_questions_are_never_in_the_way() -> None:
    """They leave the prompt alone, and what is typed is typed."""
    assistant = asking()
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press(*"yes no", "enter")
        await wait_until(pilot, lambda: assistant.asked[-1] == "ask yes no")
        assert assistant.confirmed == []
        assert QUESTIONS[0].ask in screen_text(pilot)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@in_loop
async def test_a_small_window_shows_what_to_do_and_the_prompt(size: tuple[int, int]) -> None:
    script = Script(alert=alert(), held=True)
    async with chat_app(FakeAssistant(scripts=[script])).run_test(size=size) as pilot:
        await ready(pilot)
        await ask(pilot, "My chest hurts")
        await wait_until(pilot, lambda: state(pilot).card)
        await ready(pilot)
        shown = words(pilot)
        for line in ("Chest pain", "Call 112 call.", STEP, "Ctrl+G", NOTICE, "Type your question"):
            assert line in shown
        assert "asks it all" in shown


@in_loop
async def test_a_card_survives_a_window_of_one_cell() -> None:
    script = Script(alert=alert(), asked=Asked("chest", QUESTIONS))
    async with chat_app(FakeAssistant(scripts=[script])).run_test(size=(1, 1)) as pilot:
        await ready(pilot)
        await answered(pilot)
        for key in ("pageup", "pagedown", "f8", "escape", "f9"):
            await pilot.press(key)
        await pilot.resize_terminal(80, 30)
        await wait_until(pilot, lambda: STEP in screen_text(pilot))
        await pilot.press("ctrl+g")
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(80, 30)
        await wait_until(pilot, lambda: FOLDED in screen_text(pilot))


@in_loop
async def test_a_card_taller_than_the_window_can_be_read_to_its_end() -> None:
    shown = alert()
    steps = tuple(f"Step {number} of many." for number in range(30))
    tall = card().__class__(Level.CALL, "Chest pain", "Call.", "Why.", steps, "NHS", "Folded.")
    script = Script(alert=shown.__class__(tall, "", True), held=True)
    async with chat_app(FakeAssistant(scripts=[script])).run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        await ask(pilot, "Help")
        await wait_until(pilot, lambda: "Step 1 of many." in screen_text(pilot))
        for _ in range(8):
            await pilot.press("pagedown")
        await wait_until(pilot, lambda: "I have read this." in screen_text(pilot))
        assert "Type your question" in screen_text(pilot)


@in_loop
async def test_a_demonstration_is_said_to_be_one_where_it_answered() -> None:
    scripts = [Script(alert=alert(), held=True), Script()]
    app = chat_app(FakeAssistant(scripts=scripts, demonstration=True))
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "My chest hurts")
        await wait_until(pilot, lambda: "The model was not asked" in screen_text(pilot))
        assert DEMONSTRATION not in screen_text(pilot)
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: DEMONSTRATION in screen_text(pilot))
