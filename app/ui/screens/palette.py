"""The palette: the commands that make sense now, to find and run by name."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from app.ui.command import Command
from app.ui.commands import CHAT_COMMANDS
from app.ui.screens.dialog import Dialog
from app.ui.state import ChatState


class PaletteScreen(Dialog[type[Command]]):
    """Gives back the command that was chosen.

    Textual's own palette draws signs that the console font lacks.
    """

    def __init__(self, state: ChatState) -> None:
        super().__init__()
        self._commands = offered(state)
        self._shown: list[type[Command]] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Commands"
            box.border_subtitle = "Enter runs, Esc closes"
            yield Input(placeholder="Type a part of the name")
            yield OptionList()

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self.query_one(OptionList).can_focus = False
        self._filter("")

    def on_key(self, event: Key) -> None:
        """Up and down move in the list while the letters go into the filter."""
        if event.key in {"up", "down"}:
            event.stop()
            options = self.query_one(OptionList)
            options.action_cursor_up() if event.key == "up" else options.action_cursor_down()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._filter(event.value)

    @on(Input.Submitted)
    def _run_highlighted(self) -> None:
        index = self.query_one(OptionList).highlighted
        self.dismiss(None if index is None else self._shown[index])

    @on(OptionList.OptionSelected)
    def _run_clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])

    def _filter(self, typed: str) -> None:
        words = typed.casefold().split()
        self._shown = [command for command in self._commands if matches(command, words)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Content(line)) for line in palette_lines(self._shown)])
        options.highlighted = 0 if self._shown else None


def offered(state: ChatState) -> list[type[Command]]:
    """The commands of the palette that can be run in this state."""
    return [command for command in CHAT_COMMANDS if command.palette and command.available(state)]


def matches(command: type[Command], words: list[str]) -> bool:
    """Whether name or help hold every word."""
    text = f"{command.label()} {command.help()}".casefold()
    return all(word in text for word in words)


def palette_lines(commands: list[type[Command]]) -> list[str]:
    """Label and keys of each command, in columns."""
    width = max((len(command.label()) for command in commands), default=0)
    return [f"{command.label():<{width}}  {command.key_names()}" for command in commands]
