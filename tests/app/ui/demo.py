"""The chat with a scripted assistant, to look at: `python -m tests.app.ui.demo [PACE] [ITEMS]`.

A word comes every PACE seconds (0.05). With ITEMS every answer is a list of that many items.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.assistant.notices import information_notice
from app.ui.app import run_chat
from app.ui.ports import ChatSettings
from tests.app.ui.fakes import FakeAssistant, FakeMonitor, Script, pieces


def long_list(items: int) -> str:
    """What costs most to draw while it grows."""
    return "A list:\n\n" + "\n".join(f"{n}. item number {n} of a list" for n in range(1, items + 1))


def main(pace: str = "0.05", items: str = "") -> int:
    """Show the chat; the exit code is the chat's."""
    lists = [Script(pieces=pieces(long_list(int(items))))] if items else []
    scripts = lists or [Script(), Script(pieces=pieces(long_list(40)))]
    assistant = FakeAssistant(scripts=scripts, pace=float(pace), demonstration=True)
    settings = ChatSettings(
        notice=information_notice(""),
        export_folder=Path.home(),
        console=os.environ.get("TERM") == "linux",
    )
    code = run_chat(assistant, settings, FakeMonitor())
    print("The assistant was closed." if assistant.closed else "The assistant was left open.")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
