"""The README's picture, of the chat with the shipped model: `python -m tests.screenshot OUT`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.cli.house import build
from app.cli.options import Choices
from app.ui.app import BedsideApp
from app.ui.ports import ChatSettings
from app.ui.state import ChatState, Phase
from app.ui.widgets.prompt import Prompt

QUESTION = "What are the symptoms of glaucoma?"
SIZE = (84, 26)
_PATIENCE_S = 180.0


async def screenshot() -> str:
    """Ask the question in the chat and return the screen as SVG once the answer is whole.

    Raises:
        TimeoutError: The model was not ready, or the answer not done, in three minutes.
    """
    house = build(Choices(no_log=True), print)
    app = BedsideApp(house.assistant, ChatSettings(notice=house.notice), house.sampler)
    house.open()
    try:
        async with app.run_test(size=SIZE) as pilot:
            await _wait_for(app, lambda state: True)
            app.query_one(Prompt).text = QUESTION
            await pilot.press("enter")
            await _wait_for(app, lambda state: state.answer)
            await pilot.pause()
            return app.export_screenshot(title="bedside")
    finally:
        await house.assistant.close()
        house.close("quit")


async def _wait_for(app: BedsideApp, holds: Callable[[ChatState], bool]) -> None:
    """Wait until the chat is ready for a question and this holds."""
    end = time.monotonic() + _PATIENCE_S
    while app.chat.state.phase is not Phase.READY or not holds(app.chat.state):
        if app.chat.session.problem:
            raise SystemExit(app.chat.session.problem)
        if time.monotonic() > end:
            raise TimeoutError("The chat did not get so far in three minutes.")
        await asyncio.sleep(0.1)


def main(out: str) -> None:
    """Write the picture, in full colour whatever terminal this runs in."""
    os.environ["COLORTERM"] = "truecolor"
    os.environ.pop("NO_COLOR", None)
    Path(out).write_text(asyncio.run(screenshot()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
