"""Asking where an exported conversation goes, and writing it there."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from app.errors import BedsideError
from app.named_file import typed_path
from app.sanitise import clean
from app.ui.export import proposed_path, write_new
from app.ui.screens.dialog import Dialog

_ADVICE = (
    "The file holds your questions and the answers in plain text. "
    "Only you can read it on this machine."
)


class ExportScreen(Dialog[Path]):
    """Gives back the path that was written. A problem is said here and the path can be changed."""

    DEFAULT_CSS = """
    ExportScreen .problem { color: $error; }
    """

    def __init__(self, text: str, folder: Path) -> None:
        super().__init__()
        self._text = text
        self._proposed = proposed_path(folder)

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Export the conversation"
            box.border_subtitle = "Enter writes, Esc closes"
            yield Static(_ADVICE, markup=False)
            yield Input(str(self._proposed), select_on_focus=False)
            yield Static(classes="problem", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    @on(Input.Submitted)
    def _write(self, event: Input.Submitted) -> None:
        try:
            path = typed_path(clean(event.value).strip())
            write_new(path, self._text)
        except BedsideError as error:
            self.query_one(".problem", Static).update(str(error))
        else:
            self.dismiss(path)
