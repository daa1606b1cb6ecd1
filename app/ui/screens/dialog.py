"""What the small screens over the chat have in common."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A framed box over the chat that Esc or Ctrl+C closes without a result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "close", "Close", priority=True)
    ]

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background;
        #box {
            width: 76;
            max-width: 100%;
            min-width: 20;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $primary;
            border-title-color: $primary;
            border-subtitle-color: $quiet;
            background: $background;
        }
        Static { height: auto; }
        Input, Input:focus { border: round $quiet; background: $background; }
        OptionList, OptionList:focus {
            height: auto;
            max-height: 16;
            border: none;
            background: $background;
            text-wrap: nowrap;
            text-overflow: ellipsis;
            scrollbar-size-vertical: 1;
            &:nocolor > .option-list--option-highlighted { text-style: reverse; }
        }
    }
    """

    def action_close(self) -> None:
        """Leave without a result."""
        self.dismiss(None)
