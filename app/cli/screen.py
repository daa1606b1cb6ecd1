"""Opens the chat's screen over the rooms that `house` puts together."""

from __future__ import annotations

import os
import sys

from app.cli.house import build
from app.cli.options import Choices
from app.errors import UsageError


def run_screen(choices: Choices) -> int:
    """Show the chat until the person leaves; returns the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The chat needs a terminal. Use `bedside chat --plain` for a pipe, or "
            "`bedside ask QUESTION` for one answer."
        )
    if os.environ.get("TERM", "") in ("", "dumb"):
        from app.cli.plain import run_plain

        return run_plain(choices)
    problems: list[str] = []
    house = build(choices, problems.append)
    # Textual reads these once, when it is imported: no animation that keeps the board busy.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from app.ui.app import run_chat
    from app.ui.ports import ChatSettings

    house.open()
    try:
        console = os.environ.get("TERM") == "linux"
        settings = ChatSettings(notice=house.notice, console=console)
        return run_chat(house.assistant, settings, house.sampler)
    finally:
        house.close("quit")
        for sentence in problems:
            print(sentence, file=sys.stderr)
