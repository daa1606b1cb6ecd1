"""A defect ends the chat, closes the assistant, and prints no one's words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from app.assistant.events import TurnEvent
from app.ui.app import BedsideApp, run_chat
from app.ui.ports import ChatSettings
from tests.app.ui.fakes import FakeAssistant
from tests.app.ui.helpers import NOTICE, ask, ready


class Defective(FakeAssistant):
    """Breaks at the first question."""

    def ask(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        raise RuntimeError("a defect")


async def _ask(pilot: Pilot[Any]) -> None:
    await ready(pilot)
    await ask(pilot, "a secret word")
    await asyncio.sleep(0.3)


def test_a_defect_is_raised_after_all_is_closed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    headless = partial(BedsideApp.run_async, headless=True, size=(80, 24), auto_pilot=_ask)
    monkeypatch.setattr(BedsideApp, "run_async", lambda app: headless(app))
    assistant = Defective()
    with pytest.raises(Exception, match="a defect"):
        run_chat(assistant, ChatSettings(NOTICE))
    assert assistant.closed
    captured = capfd.readouterr()
    assert "secret" not in captured.out + captured.err
