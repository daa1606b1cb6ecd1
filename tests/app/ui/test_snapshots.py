"""How the chat looks, kept as pictures (`pytest --snapshot-update` after a meant change).

Drawn by the pinned Textual 8.2.8; no time and no path is in view.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from app.assistant.events import Asked, Failed, Support
from app.safety import Level
from app.ui.pin import Attempts, Pin, PinLock
from app.ui.ports import KioskSettings
from app.ui.state import Phase
from tests.app.ui.fakes import QUESTIONS, FakeAssistant, FakeMonitor, Script, alert, passage
from tests.app.ui.helpers import answered, ask, chat_app, phase, ready, screen_text, wait_until

SnapCompare = Callable[..., bool]
Steps = Callable[[Pilot[None]], Awaitable[None]]

QUESTION = "What are the symptoms of glaucoma?"


def compare(
    snap_compare: SnapCompare,
    assistant: FakeAssistant,
    steps: Steps,
    size: tuple[int, int] = (80, 24),
    *,
    console: bool = False,
    kiosk: KioskSettings | None = None,
) -> None:
    app: App[None] = chat_app(assistant, monitor=FakeMonitor(), console=console, kiosk=kiosk)
    assert snap_compare(app, terminal_size=size, run_before=steps)


async def _answered(pilot: Pilot[None]) -> None:
    await ready(pilot)
    await answered(pilot, QUESTION)


def test_first_screen(snap_compare: SnapCompare) -> None:
    compare(snap_compare, FakeAssistant(), ready)


def test_answer(snap_compare: SnapCompare) -> None:
    compare(snap_compare, FakeAssistant(demonstration=True), _answered)


def test_answer_on_the_console(snap_compare: SnapCompare) -> None:
    compare(snap_compare, FakeAssistant(demonstration=True), _answered, (60, 20), console=True)


def test_monitor(snap_compare: SnapCompare) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await pilot.press("f3")
        await pilot.pause()

    compare(snap_compare, FakeAssistant(), steps)


def test_failure(snap_compare: SnapCompare) -> None:
    failed = Failed("died", "The engine stopped. It is being started again.")
    script = Script(pieces=["Half an answer"], failed=failed)  # one piece has no speed
    compare(snap_compare, FakeAssistant(scripts=[script]), _answered)


def test_reading_the_question(snap_compare: SnapCompare) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await ask(pilot, QUESTION)
        await wait_until(pilot, lambda: "20 of 40 tokens" in screen_text(pilot))

    compare(snap_compare, FakeAssistant(hold_prefill=asyncio.Event()), steps)


@pytest.mark.parametrize("key", ["f1", "f2"])
def test_dialogs(snap_compare: SnapCompare, key: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await pilot.press(key)
        await pilot.pause()

    compare(snap_compare, FakeAssistant(), steps)


SOURCES = (passage(1), passage(2))
SUPPORT = Support(5, ("The moon helps.", "Drink tea."), ("Take 500 mg of ibuprofen.",))


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
def test_call_now(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await ask(pilot, "My chest hurts")
        await wait_until(pilot, lambda: "was not asked" in screen_text(pilot))
        await wait_until(pilot, lambda: phase(pilot) is Phase.READY)

    script = Script(alert=alert(), held=True)
    compare(snap_compare, FakeAssistant(scripts=[script]), steps, size, console=size == (60, 20))


def test_a_folded_card_and_a_question(snap_compare: SnapCompare) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await _answered(pilot)
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: "I have read" not in screen_text(pilot))

    script = Script(alert=alert(Level.TODAY), asked=Asked("chest", QUESTIONS))
    compare(snap_compare, FakeAssistant(scripts=[script]), steps)


def test_the_passage_as_the_answer(snap_compare: SnapCompare) -> None:
    script = Script(passages=SOURCES, support=SUPPORT)
    compare(snap_compare, FakeAssistant(scripts=[script], demonstration=True), _answered, (80, 34))


@pytest.mark.parametrize("key", ["ctrl+t", "ctrl+l"])
def test_sources(snap_compare: SnapCompare, key: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await _answered(pilot)
        await pilot.press(key)
        await pilot.pause()

    script = Script(passages=SOURCES, support=SUPPORT)
    compare(snap_compare, FakeAssistant(scripts=[script]), steps)


def test_a_clinicians_screen(snap_compare: SnapCompare) -> None:
    script = Script(alert=alert(patient=False), passages=SOURCES)
    compare(snap_compare, FakeAssistant(scripts=[script], clinician=True), _answered, (80, 34))


def test_a_kiosk(snap_compare: SnapCompare) -> None:
    compare(snap_compare, FakeAssistant(), _answered, kiosk=KioskSettings())


def test_a_locked_kiosk(snap_compare: SnapCompare, tmp_path: Path) -> None:
    lock = PinLock(Pin.of("2468"), Attempts(tmp_path / "pin.json"))
    compare(snap_compare, FakeAssistant(), ready, kiosk=KioskSettings(lock=lock))
