"""Which sentences of an answer are not in its sources, and what that can and cannot mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.assistant.events import Support
from app.assistant.notices import doses_to_check
from app.sanitise import one_line
from app.ui.commands import ShowUnsupported
from app.ui.screens.dialog import Dialog

_LONGEST = 1000
_EXPLAINED = (
    "The check compares words. It cannot tell whether a sentence is right: what is not in the "
    "sources may be true, and what shares their words may be wrong."
)


class UnsupportedScreen(Dialog[None]):
    """Lists the sentences, doses first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{ShowUnsupported.keys},q,enter", "close", "Close", priority=True)
    ]

    DEFAULT_CSS = """
    UnsupportedScreen #box { scrollbar-size-vertical: 1; }
    UnsupportedScreen .doses { color: $warning; margin-bottom: 1; }
    UnsupportedScreen .explained { color: $quiet; margin-top: 1; }
    """

    def __init__(self, support: Support) -> None:
        super().__init__()
        self._support = support

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box") as box:
            box.border_title = "Not in the sources"
            box.border_subtitle = "Esc closes"
            if self._support.doses:
                yield Static(
                    "\n".join(doses_to_check(self._support)), classes="doses", markup=False
                )
            sentences = [f"• {one_line(one, _LONGEST)}" for one in self._support.unsupported]
            yield Static("\n".join(sentences), markup=False)
            yield Static(_EXPLAINED, classes="explained", markup=False)
