"""What the tests of the screens share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from app.ui.app import BedsideApp
from app.ui.ports import ChatAssistant, ChatSettings, MonitorFeed
from app.ui.state import Phase

NOTICE = "Information, not a diagnosis. In an emergency call 112."


def chat_app(
    assistant: ChatAssistant,
    *,
    monitor: MonitorFeed | None = None,
    folder: Path | None = None,
    console: bool = True,
) -> BedsideApp:
    """The app with a scripted assistant."""
    settings = ChatSettings(
        notice=NOTICE, export_folder=folder or Path("/nowhere"), console=console
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
    """Type a question and press Enter."""
    await pilot.press(*question.replace(" ", "_").replace("_", " "))
    await pilot.press("enter")
