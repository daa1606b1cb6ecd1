"""The help screen: every command with its key, from the command classes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.ui.command import Command
from app.ui.commands import CHAT_COMMANDS, PROMPT_COMMANDS
from app.ui.commands import Help as HelpCommand
from app.ui.screens.dialog import Dialog


class HelpScreen(Dialog[None]):
    """Lists what every key does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{HelpCommand.keys},q,enter", "close", "Close", priority=True)
    ]

    DEFAULT_CSS = """
    HelpScreen #box { scrollbar-size-vertical: 1; }
    """

    def __init__(self, *, kiosk: bool = False) -> None:
        super().__init__()
        here = (command for command in PROMPT_COMMANDS + CHAT_COMMANDS if command.here(kiosk))
        self._commands = tuple(here)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            yield Static("\n".join(help_lines(self._commands)), markup=False)


def help_lines(commands: tuple[type[Command], ...]) -> list[str]:
    """One line for each command, the keys in a column."""
    width = max(len(command.key_names()) for command in commands)
    return [f"{command.key_names():<{width}}  {command.help()}" for command in commands]
