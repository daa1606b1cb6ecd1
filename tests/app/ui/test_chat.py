"""The chat at work: asking, stopping, asking again, and what goes wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from app.assistant.assistant import Assistant
from app.assistant.events import Failed
from app.assistant.notices import DEMONSTRATION
from app.conversation.wording import ENDINGS
from app.engine.messages import Load, StopReason, Text
from app.ui.screens.chat import ChatScreen
from app.ui.screens.export import ExportScreen
from app.ui.screens.help import HelpScreen
from app.ui.screens.palette import PaletteScreen
from app.ui.state import ChatState, Phase
from app.ui.widgets.lines import HintLine
from app.ui.widgets.prompt import Prompt
from app.ui.widgets.transcript import Transcript
from tests.app.assistant.fakes import FINISHED, FakeEngine
from tests.app.ui.fakes import FakeAssistant, FakeMonitor, Script, pieces
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

SIZE = (80, 24)


def chat(pilot: Pilot[None]) -> ChatScreen:
    """The chat's screen, also while a dialog lies over it."""
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, ChatScreen)
    return screen


def state(pilot: Pilot[None]) -> ChatState:
    return chat(pilot).state


def hint(pilot: Pilot[None]) -> str:
    """The sentence of the hint line."""
    return str(chat(pilot).query_one(HintLine).visual)


def prompt(pilot: Pilot[None]) -> Prompt:
    return chat(pilot).query_one(Prompt)


@in_loop
async def test_it_paints_before_the_model_is_loaded() -> None:
    assistant = FakeAssistant(hold=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: "Loading the model: 50%" in hint(pilot))
        text = screen_text(pilot)
        assert NOTICE in text
        assert "loading" in text
        assistant.hold.set()  # type: ignore[union-attr]
        await ready(pilot)
        assert hint(pilot) == ""
        assert "26 / 1024 tokens" in screen_text(pilot)
        assert "fake-29m" in screen_text(pilot)


@in_loop
async def test_an_answer_comes_with_its_numbers() -> None:
    assistant = FakeAssistant(demonstration=True)
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "What is glaucoma?")
        text = screen_text(pilot)
        assert assistant.asked == ["ask What is glaucoma?"]
        assert "┃ What is glaucoma?" in text
        assert "• halos around lights" in text
        assert "See a doctor soon." in text
        assert DEMONSTRATION in text
        assert "20.0 tokens/s" in text
        assert prompt(pilot).text == ""


@in_loop
async def test_a_question_typed_while_loading_waits_for_the_model() -> None:
    assistant = FakeAssistant(hold=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: phase(pilot) is Phase.WAITING)
        assert "as soon as the model is loaded" in screen_text(pilot)
        assert assistant.asked == []
        assistant.hold.set()  # type: ignore[union-attr]
        await ready(pilot)
        assert assistant.asked == ["ask Why?"]


@in_loop
async def test_a_question_that_waits_can_be_stopped() -> None:
    assistant = FakeAssistant(hold=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: phase(pilot) is Phase.WAITING)
        await pilot.press("escape")
        await wait_until(pilot, lambda: phase(pilot) is Phase.LOADING)
        assert "You stopped before the model was loaded." in screen_text(pilot)
        assistant.hold.set()  # type: ignore[union-attr]
        await ready(pilot)
        assert assistant.asked == []


@in_loop
async def test_a_model_that_cannot_be_loaded_is_said_and_stays_said() -> None:
    sentence = "The model needs 9 GB and 3 GB are left; choose a smaller one."
    assistant = FakeAssistant(prepare_failure=Failed("memory", sentence))
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: phase(pilot) is Phase.FAILED)
        assert sentence in screen_text(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: screen_text(pilot).count(sentence) == 2)
        assert phase(pilot) is Phase.FAILED
        assert assistant.asked == []
        assert sentence in hint(pilot)


@in_loop
async def test_keys_typed_in_one_burst_keep_their_order() -> None:
    """A terminal hands over what was typed ahead at once; Enter must not overtake the letters."""
    assistant = FakeAssistant()
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        for key in [*"Why?", "enter", *"next"]:
            pilot.app.post_message(events.Key(key, None if key == "enter" else key))
        await wait_until(pilot, lambda: bool(assistant.asked))
        await ready(pilot)
        assert assistant.asked == ["ask Why?"]
        assert prompt(pilot).text == "next"


@in_loop
async def test_a_second_question_waits_in_the_prompt() -> None:
    assistant = FakeAssistant(scripts=[Script()], hold_text=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "One?")
        await wait_until(pilot, lambda: phase(pilot) is Phase.ANSWERING)
        await ask(pilot, "Two?")
        assert "Esc stops it" in hint(pilot)
        assert prompt(pilot).text == "Two?"
        assert assistant.asked == ["ask One?"]


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
@in_loop
async def test_stop_in_text_keeps_what_was_written(key: str) -> None:
    assistant = FakeAssistant(hold_text=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: "See a doctor" in screen_text(pilot))
        await pilot.press(key)
        await ready(pilot)
        text = screen_text(pilot)
        assert "See a doctor" in text
        assert "soon." not in text
        assert ENDINGS["cancelled"] in text
        assert assistant.stops == 1


@in_loop
async def test_stop_in_prefill() -> None:
    assistant = FakeAssistant(hold_prefill=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: "20 of 40 tokens" in screen_text(pilot))
        await pilot.press("escape")
        await ready(pilot)
        assert ENDINGS["cancelled"] in screen_text(pilot)


@pytest.mark.parametrize("reason", ["stop", "length", "repetition"])
@in_loop
async def test_the_last_piece_is_drawn_however_it_ends(reason: StopReason) -> None:
    """Also the beginning of a line, which is held back until it says what the line is."""
    script = Script(pieces=["One.", "\n\n", "42"], reason=reason)
    async with chat_app(FakeAssistant(scripts=[script])).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        text = screen_text(pilot)
        assert "\n   42\n" in text
        assert ENDINGS[reason] in text


@in_loop
async def test_an_engine_that_dies_leaves_the_text_and_a_sentence() -> None:
    sentence = "The engine stopped. It is being started again."
    script = Script(pieces=["Half an ", "answer"], failed=Failed("died", sentence))
    assistant = FakeAssistant(scripts=[script, Script()])
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "One?")
        assert "Half an answer" in screen_text(pilot)
        assert sentence in screen_text(pilot)
        await answered(pilot, "Two?")
        assert "See a doctor soon." in screen_text(pilot)
        assert assistant.asked == ["ask One?", "ask Two?"]


@in_loop
async def test_what_the_model_forgot_is_said_and_nothing_leaves_the_screen() -> None:
    notice = "The oldest question and its answer no longer fit."
    assistant = FakeAssistant(scripts=[Script(pieces=["First."]), Script(notice=notice)])
    async with chat_app(assistant).run_test(size=(80, 40)) as pilot:
        await ready(pilot)
        await answered(pilot, "One?")
        await answered(pilot, "Two?")
        assert notice in screen_text(pilot)
        assert "First." in screen_text(pilot)


@in_loop
async def test_regenerate_keeps_the_earlier_answer_reachable() -> None:
    assistant = FakeAssistant(scripts=[Script(pieces=["First."]), Script(pieces=["Second."])])
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: answers(pilot) == 2)
        await ready(pilot)
        assert "Answer 2 of 2" in screen_text(pilot)
        assert "Second." in screen_text(pilot)
        assert "First." not in screen_text(pilot)
        await pilot.press("f6")
        await wait_until(pilot, lambda: "First." in screen_text(pilot))
        assert "Answer 1 of 2" in screen_text(pilot)
        assert assistant.asked == ["ask Why?", "regenerate"]


@in_loop
async def test_up_brings_the_last_question_back_to_change_and_resend() -> None:
    assistant = FakeAssistant(scripts=[Script(pieces=["First."]), Script(pieces=["Second."])])
    async with chat_app(assistant).run_test(size=(80, 30)) as pilot:
        await ready(pilot)
        await answered(pilot, "Who")
        await pilot.press("up", "m")
        assert prompt(pilot).text == "Whom"
        assert "Last question" in screen_text(pilot)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Second." in screen_text(pilot))
        await ready(pilot)
        assert assistant.asked == ["ask Who", "resend Whom"]
        text = screen_text(pilot)
        assert "You changed this question" in text
        assert "First." in text
        assert "Second." in text


@in_loop
async def test_a_changed_question_that_is_refused_is_what_is_asked_again() -> None:
    """And never the one before it, below which the screen says that the model has lost it."""
    engine = FakeEngine()
    engine.answer = [Text("Airways.", 1), FINISHED]
    engine.tokens_per_character = 0.25
    assistant = Assistant(engine, Load("model.gguf"))
    async with chat_app(assistant).run_test(size=(80, 60)) as pilot:
        await ready(pilot)
        await answered(pilot, "What is asthma?")
        await pilot.press("up")
        await ask(pilot, "Can I stop insulin? " + "x " * 1_000)
        await wait_until(pilot, lambda: screen_text(pilot).count("too long for this model") == 1)
        await ready(pilot)
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: "Answer 2 of 2" in screen_text(pilot))
        await ready(pilot)
        assert len(engine.asked) == 1
        (last,) = assistant.conversation.turns
        assert last.question.startswith("Can I stop insulin?")
        assert screen_text(pilot).count("Airways.") == 1


@in_loop
async def test_leaving_the_last_question_brings_the_draft_back() -> None:
    async with chat_app(FakeAssistant()).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "Who?")
        await pilot.press(*"draft", "up")
        assert prompt(pilot).text == "Who?"
        await pilot.press("escape")
        assert prompt(pilot).text == "draft"
        await pilot.press("up", "down")
        assert prompt(pilot).text == "draft"


@in_loop
async def test_new_conversation_takes_two_presses_and_stops_what_runs() -> None:
    assistant = FakeAssistant(hold_text=asyncio.Event())
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: phase(pilot) is Phase.ANSWERING)
        await pilot.press("ctrl+n")
        assert "again to clear" in hint(pilot)
        await pilot.press("ctrl+n")
        await wait_until(pilot, lambda: state(pilot).turns == 0)
        assert assistant.stops == 1
        assert assistant.conversation.turns == ()
        assert "Ask about a symptom" in screen_text(pilot)
        assert "Why?" not in screen_text(pilot)


@in_loop
async def test_copy_hands_the_source_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    async with chat_app(FakeAssistant()).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("f4")
        await wait_until(pilot, lambda: "clipboard" in hint(pilot))
        assert "of the **optic nerve**" in pilot.app.clipboard


@in_loop
async def test_export_asks_for_a_place_and_refuses_to_overwrite(tmp_path: Path) -> None:
    taken = tmp_path / "taken.md"
    taken.write_text("mine")
    app = chat_app(FakeAssistant(demonstration=True), folder=tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "What is glaucoma?")
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: isinstance(app.screen, ExportScreen))
        app.screen.query_one(Input).value = str(taken)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "there already" in screen_text(pilot).replace("\n", ""))
        assert taken.read_text() == "mine"
        app.screen.query_one(Input).value = str(tmp_path / "new.md")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "Written to" in hint(pilot))
    written = tmp_path / "new.md"
    assert written.stat().st_mode & 0o777 == 0o600
    text = written.read_text()
    assert "What is glaucoma?" in text
    assert "halos around lights" in text
    assert NOTICE in text
    assert DEMONSTRATION in text


@in_loop
async def test_the_monitor_comes_and_goes_and_rests_while_hidden() -> None:
    monitor = FakeMonitor()
    async with chat_app(FakeAssistant(), monitor=monitor).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert monitor.asked == 0
        await pilot.press("f3")
        await wait_until(pilot, lambda: "Monitor" in screen_text(pilot))
        text = screen_text(pilot)
        assert "20.0 tokens/s" in text
        assert "100 tokens/s" in text
        assert "unavailable, because this board has no power sensor" in text
        assert "61.0 °C" in text
        await pilot.press("f3")
        asked = monitor.asked
        await asyncio.sleep(1.2)
        assert monitor.asked == asked


@in_loop
async def test_palette_runs_a_command_by_a_part_of_its_name() -> None:
    app = chat_app(FakeAssistant(), monitor=FakeMonitor())
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+p")
        await wait_until(pilot, lambda: isinstance(app.screen, PaletteScreen))
        await pilot.press(*"monit", "enter")
        await wait_until(pilot, lambda: "Temperature" in screen_text(pilot))


@pytest.mark.parametrize("close", ["escape", "f1", "ctrl+c"])
@in_loop
async def test_help_opens_and_closes(close: str) -> None:
    app = chat_app(FakeAssistant())
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "Send the question." in screen_text(pilot)
        await pilot.press(close)
        await wait_until(pilot, lambda: isinstance(app.screen, ChatScreen))


@in_loop
async def test_ctrl_c_twice_quits_and_once_does_not() -> None:
    app = chat_app(FakeAssistant())
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+c")
        assert "again to quit" in hint(pilot)
        assert app.is_running
        await pilot.press("ctrl+c")
        await wait_until(pilot, lambda: app._exit)


@in_loop
async def test_a_long_conversation_draws_its_end_and_more_on_request() -> None:
    assistant = FakeAssistant(scripts=[Script(pieces=["Yes."], prefill=())])
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        for number in range(23):
            await answered(pilot, f"q{number}")
        assert state(pilot).earlier == 3
        transcript = chat(pilot).query_one(Transcript)
        transcript.scroll_home(animate=False)
        await wait_until(pilot, lambda: "▲ 3 earlier questions" in screen_text(pilot))
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: state(pilot).earlier == 0)
        transcript.scroll_home(animate=False)
        await wait_until(pilot, lambda: "┃ q0" in screen_text(pilot))
        assert screen_text(pilot).count("Yes.") > 1


@in_loop
async def test_words_of_the_model_and_the_user_are_never_markup() -> None:
    hostile = "[/] [b]bold[/b] [@click=app.exit]x[/] <b>y</b> &#8238; ![i](http://a/b.png)"
    failed = Failed("internal", "[/] broke [b")
    scripts = [Script(pieces=pieces(hostile), notice="[/] note [b"), Script(failed=failed)]
    app = chat_app(FakeAssistant(scripts=scripts), monitor=FakeMonitor())
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(pilot)
        await answered(pilot, "[/] [b]?")
        text = screen_text(pilot)
        for words in ("[/] [b]?", "[b]bold[/b]", "<b>y</b>", "&#8238;", "[/] note [b"):
            assert words in text
        await answered(pilot, "two")
        assert "[/] broke [b" in screen_text(pilot)


@in_loop
async def test_control_characters_in_a_text_event_do_not_reach_the_screen() -> None:
    """The assistant cleans the stream; should one slip through, the widgets still hold."""
    script = Script(pieces=["a\x1b[2Jb", "\x9b31mc\x07", "\r\x00d"])
    async with chat_app(FakeAssistant(scripts=[script])).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert not {c for c in screen_text(pilot) if ord(c) < 32 or 127 <= ord(c) < 160} - {"\n"}
        assert NOTICE in screen_text(pilot)
