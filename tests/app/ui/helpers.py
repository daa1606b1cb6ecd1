"""What the tests of the screens share."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec

from textual.pilot import Pilot

from app.ui.app import BedsideApp
from app.ui.ports import ChatAssistant, ChatSettings, KioskSettings, MonitorFeed, TurnKeeper
from app.ui.state import Phase
from app.ui.widgets.prompt import Prompt

NOTICE = "Information, not a diagnosis. In an emergency call 112."

Parameters = ParamSpec("Parameters")


def in_loop(
    test: Callable[Parameters, Coroutine[Any, Any, None]],
) -> Callable[Parameters, None]:
    """Let pytest run a test that is a coroutine."""

    @functools.wraps(test)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def chat_app(
    assistant: ChatAssistant,
    *,
    monitor: MonitorFeed | None = None,
    folder: Path | None = None,
    console: bool = True,
    kiosk: KioskSettings | None = None,
    keep: Callable[[str], TurnKeeper] | None = None,
) -> BedsideApp:
    """The app with a scripted assistant."""
    settings = ChatSettings(
        notice=NOTICE,
        export_folder=folder or Path("/nowhere"),
        console=console,
        kiosk=kiosk,
        keep=keep,
    )
    return BedsideApp(assistant, settings, monitor)


async def wait_until(
    pilot: Pilot[None], holds: Callable[[], bool], *, seconds: float = 5.0
) -> None:
    """Let the app work until something holds; one pause is not enough for work in tasks."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(
                f"Did not come true in {seconds} s; the screen was:\n{screen_text(pilot)}"
            )
        await pilot.pause()
        await asyncio.sleep(0.01)
    await pilot.pause()


def screen_text(pilot: Pilot[None]) -> str:
    """What the screen shows, row by row."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def phase(pilot: Pilot[None]) -> Phase:
    """What the chat is doing."""
    app = pilot.app
    assert isinstance(app, BedsideApp)
    return app.chat.session.phase


async def ready(pilot: Pilot[None]) -> None:
    """Wait for the model."""
    await wait_until(pilot, lambda: phase(pilot) is Phase.READY)


async def ask(pilot: Pilot[None], question: str) -> None:
    """Put a question into the prompt and press Enter."""
    pilot.app.query_one(Prompt).text = question
    await pilot.press("enter")


async def answered(pilot: Pilot[None], question: str = "Why?") -> None:
    """Ask a question and wait until the turn is over."""
    before = answers(pilot)
    await ask(pilot, question)
    await wait_until(pilot, lambda: answers(pilot) > before)
    await ready(pilot)


def answers(pilot: Pilot[None]) -> int:
    """How many answers the assistant has given, to the question's last event."""
    app = pilot.app
    assert isinstance(app, BedsideApp)
    return sum(len(turn.answers) for turn in app.chat.session.assistant.conversation.turns)
