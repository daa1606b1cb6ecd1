"""The screen that strangers share: nobody leaves it, and nothing of the last one stays."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.safety import Level
from app.ui.app import WIPED, BedsideApp, run_chat
from app.ui.pin import Attempts, Pin, PinLock
from app.ui.ports import ChatSettings, KioskSettings, Lock
from app.ui.screens.card import CardScreen
from app.ui.screens.chat import ChatScreen
from app.ui.screens.help import HelpScreen
from app.ui.screens.lock import LockScreen
from app.ui.widgets.countdown import Countdown
from app.ui.widgets.prompt import Prompt
from tests.app.ui.fakes import FakeAssistant, Script, alert
from tests.app.ui.helpers import (
    NOTICE,
    answered,
    ask,
    chat_app,
    in_loop,
    ready,
    screen_text,
    wait_until,
)
from tests.app.ui.test_idle import Clock

SIZE = (80, 30)
KEPT = Pin.of("2468")


def kiosk(
    assistant: FakeAssistant, clock: Clock | None = None, lock: Lock | None = None
) -> BedsideApp:
    return chat_app(assistant, kiosk=KioskSettings(300, lock, clock or Clock()))


@pytest.fixture
def lock(tmp_path: Path) -> PinLock:
    """It opens on 2468, and its seconds are real."""
    return PinLock(KEPT, Attempts(tmp_path / "pin.json"))


def tick(app: BedsideApp) -> None:
    """What the countdown does twice a second."""
    for countdown in app.chat.query(Countdown):
        countdown.tick()


@in_loop
async def test_after_five_minutes_it_counts_down_and_then_all_is_wiped() -> None:
    clock = Clock()
    app = kiosk(FakeAssistant(), clock)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        clock.now += 299
        tick(app)
        assert "Everything is wiped" not in screen_text(pilot)
        clock.now += 18
        tick(app)
        await wait_until(pilot, lambda: "Everything is wiped in 43 s" in screen_text(pilot))
        clock.now += 44
        tick(app)
        await wait_until(pilot, lambda: app._exit)
    assert app.return_code == WIPED


@pytest.mark.parametrize("key", ["a", "pageup", "f3"])
@in_loop
async def test_any_key_stops_the_countdown(key: str) -> None:
    clock = Clock()
    app = kiosk(FakeAssistant(), clock)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        clock.now += 310
        tick(app)
        await wait_until(pilot, lambda: "Everything is wiped" in screen_text(pilot))
        await pilot.press(key)
        tick(app)
        await wait_until(pilot, lambda: "Everything is wiped" not in screen_text(pilot))
        assert not app._exit


@in_loop
async def test_the_countdown_comes_through_a_screen_that_lies_over_it() -> None:
    clock = Clock()
    app = kiosk(FakeAssistant(), clock)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        clock.now += 310
        tick(app)
        await wait_until(pilot, lambda: "Everything is wiped" in screen_text(pilot))
        assert isinstance(app.screen, ChatScreen)


@in_loop
async def test_a_card_doubles_the_time_also_when_it_is_folded() -> None:
    clock = Clock()
    app = kiosk(FakeAssistant(scripts=[Script(alert=alert(Level.TODAY))]), clock)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("ctrl+g")
        clock.now += 599
        tick(app)
        assert "Everything is wiped" not in screen_text(pilot)
        clock.now += 1
        tick(app)
        await wait_until(pilot, lambda: "Everything is wiped in 60 s" in screen_text(pilot))


@in_loop
async def test_no_countdown_while_an_answer_streams() -> None:
    clock = Clock()
    assistant = FakeAssistant(hold_text=asyncio.Event())
    app = kiosk(assistant, clock)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: "See a doctor" in screen_text(pilot))
        clock.now += 5000
        tick(app)
        assert "Everything is wiped" not in screen_text(pilot)
        assistant.hold_text.set()  # type: ignore[union-attr]
        await ready(pilot)
        tick(app)
        assert not app._exit


@in_loop
async def test_finish_and_wipe_takes_two_presses() -> None:
    app = kiosk(FakeAssistant())
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("f11")
        await wait_until(pilot, lambda: "Press F11 again to finish" in screen_text(pilot))
        assert not app._exit
        await pilot.press("f11")
        await wait_until(pilot, lambda: app._exit)
    assert app.return_code == WIPED


@pytest.mark.parametrize(
    "key", ["ctrl+q", "ctrl+z", "ctrl+c", "f2", "ctrl+p", "ctrl+s", "ctrl+k", "ctrl+n", "f4"]
)
@in_loop
async def test_no_key_leads_out(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = kiosk(FakeAssistant())
    monkeypatch.setattr(app, "action_suspend_process", lambda: pytest.fail("suspended"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press(key, key, key)
        await pilot.pause()
        assert not app._exit
        assert isinstance(app.screen, ChatScreen)
        assert app.chat.state.turns == 1


@in_loop
async def test_nothing_reaches_the_clipboard() -> None:
    app = kiosk(FakeAssistant())
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press(*"secret", "ctrl+a", "shift+home", "ctrl+x", "ctrl+c")
        app.copy_to_clipboard("secret")
        assert app.clipboard == ""


@in_loop
async def test_its_help_names_its_own_keys_alone() -> None:
    app = kiosk(FakeAssistant())
    async with app.run_test(size=(80, 60)) as pilot:
        await ready(pilot)
        await pilot.press("f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        text = screen_text(pilot)
        assert "Finish and wipe" in text
        for absent in ("Ctrl+Q", "Ctrl+Z", "Ctrl+S", "Ctrl+K", "F2", "End the chat"):
            assert absent not in text


@in_loop
async def test_elsewhere_nothing_is_wiped() -> None:
    app = chat_app(FakeAssistant())
    async with app.run_test(size=(80, 70)) as pilot:
        await ready(pilot)
        assert not app.chat.query(Countdown)
        await pilot.press("f11", "f11", "f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "wipe" not in screen_text(pilot)
        assert not app._exit


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (1, 1)])
@in_loop
async def test_it_fits_every_window(size: tuple[int, int]) -> None:
    clock = Clock()
    app = kiosk(FakeAssistant(scripts=[Script(alert=alert(), held=True)]), clock)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        await ask(pilot, "My chest")
        await wait_until(pilot, lambda: app.chat.state.card)
        await ready(pilot)
        clock.now += 610
        tick(app)
        await wait_until(pilot, lambda: bool(app.chat.query_one(Countdown).display))
        shown = " ".join(screen_text(pilot).split())
        if size != (1, 1):
            for words in ("Everything is wiped", "Call 112 call.", NOTICE, "Type your question"):
                assert words in shown


def is_locked(pilot: Pilot[None]) -> bool:
    return isinstance(pilot.app.screen, LockScreen)


async def type_pin(pilot: Pilot[None], pin: str) -> None:
    await wait_until(pilot, lambda: not pilot.app.screen.query_one(Input).disabled)
    await pilot.press(*pin, "enter")
    await asyncio.sleep(0.1)  # a thread judges it
    await pilot.pause()


@in_loop
async def test_a_pin_locks_the_screen_from_the_start_and_on_a_key(lock: PinLock) -> None:
    app = kiosk(FakeAssistant(), lock=lock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))
        text = " ".join(screen_text(pilot).replace("│", "").split())
        assert "it does not protect the machine" in text
        assert NOTICE in text
        await pilot.press("escape", "ctrl+c", "f11", "ctrl+q")
        assert isinstance(app.screen, LockScreen)
        await type_pin(pilot, "2468")
        await wait_until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert "2468" not in screen_text(pilot)
        await pilot.press("ctrl+x")
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))


@in_loop
async def test_a_wrong_pin_waits_longer_each_time_also_over_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    clock = Clock()
    real = LockScreen.set_timer

    def at_once(screen: LockScreen, delay: float, *args: Any, **kwargs: Any) -> object:
        waits.append(delay)
        clock.now += delay
        return real(screen, 0.001, *args, **kwargs)

    monkeypatch.setattr(LockScreen, "set_timer", at_once)
    for tried in (("1", "0000", "24680"), ("246", "", "x", "9", "8")):
        lock = PinLock(KEPT, Attempts(tmp_path / "pin.json", clock))
        async with kiosk(FakeAssistant(), clock, lock).run_test(size=SIZE) as pilot:
            await wait_until(pilot, partial(is_locked, pilot))
            for attempt in tried:
                await type_pin(pilot, attempt)
            assert is_locked(pilot)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@in_loop
async def test_a_lock_hides_what_was_said(lock: PinLock) -> None:
    app = kiosk(FakeAssistant(scripts=[Script(pieces=["marzipan " * 200])]), lock=lock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))
        await type_pin(pilot, "2468")
        await wait_until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await ready(pilot)
        await answered(pilot)
        assert "marzipan" in app.export_screenshot()
        await pilot.press("ctrl+x")
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))
        assert "marzipan" not in app.export_screenshot(), "nor around the lock"
        await type_pin(pilot, "2468")
        await wait_until(pilot, lambda: "marzipan" in app.export_screenshot())
        await pilot.press(*"Next")
        assert app.chat.query_one(Prompt).text == "Next", "whoever unlocks can type"


@in_loop
async def test_a_kiosk_that_is_begun_anew_in_the_wait_goes_on_waiting(tmp_path: Path) -> None:
    clock = Clock()
    attempts = Attempts(tmp_path / "pin.json", clock)
    for _ in range(6):
        clock.now += attempts.left
        attempts.begin()
    app = kiosk(FakeAssistant(), clock, PinLock(KEPT, Attempts(tmp_path / "pin.json", clock)))
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: "Too many wrong PINs. Wait 32 s" in screen_text(pilot))
        await pilot.press(*"2468", "enter")
        assert isinstance(app.screen, LockScreen)


@in_loop
async def test_what_keeps_the_count_from_being_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "pin.json").mkdir()
    app = kiosk(FakeAssistant(), lock=PinLock(KEPT, Attempts(tmp_path / "pin.json", Clock())))
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: "Too many wrong PINs. Wait 60 s" in screen_text(pilot))
        assert isinstance(app.screen, LockScreen)


@in_loop
async def test_while_it_waits_no_pin_is_taken(lock: PinLock) -> None:
    app = kiosk(FakeAssistant(), lock=lock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))
        await type_pin(pilot, "1111")
        await wait_until(pilot, lambda: "PIN. Wait 1 second." in screen_text(pilot))
        await pilot.press(*"2468", "enter")
        assert isinstance(app.screen, LockScreen)


@in_loop
async def test_a_locked_screen_still_shows_whom_to_call_and_counts_down(lock: PinLock) -> None:
    clock = Clock()
    app = kiosk(FakeAssistant(), clock, lock=lock)
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))
        await pilot.press("f8")
        await wait_until(pilot, lambda: isinstance(app.screen, CardScreen))
        assert "Help in a crisis" in screen_text(pilot)
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, LockScreen))
        clock.now += 320
        app.screen.query_one(Countdown).tick()
        await wait_until(pilot, lambda: "Everything is wiped" in screen_text(pilot))
        assert isinstance(app.screen, LockScreen)


def test_a_wipe_ends_the_engine_before_the_command_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def finish(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await pilot.press("f11", "f11")

    headless = partial(BedsideApp.run_async, headless=True, size=SIZE, auto_pilot=finish)
    monkeypatch.setattr(BedsideApp, "run_async", lambda app: headless(app))
    assistant = FakeAssistant()
    assert run_chat(assistant, ChatSettings(NOTICE, kiosk=KioskSettings())) == WIPED
    assert assistant.closed
