"""The chat with a scripted assistant, to look at: `python -m tests.app.ui.demo [PACE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from app.assistant.notices import information_notice
from app.ui.app import run_chat
from app.ui.ports import ChatSettings
from tests.app.ui.fakes import ANSWER, FakeAssistant, FakeMonitor, Script, pieces

LONG = "\n\n".join([ANSWER, *(f"{n}. item number {n} of a list" for n in range(1, 40))])


def main(pace: float = 0.05) -> int:
    """Show the chat; each answer comes a word every `pace` seconds."""
    assistant = FakeAssistant(
        scripts=[Script(), Script(pieces=pieces(LONG))], pace=pace, demonstration=True
    )
    settings = ChatSettings(notice=information_notice(""), export_folder=Path.home())
    return run_chat(assistant, settings, FakeMonitor())


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
