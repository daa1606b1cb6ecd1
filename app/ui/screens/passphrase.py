"""Asking for a new passphrase, twice, before a conversation is kept."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from app.conversation.vault import LOST_PASSPHRASE, Passphrase
from app.errors import UsageError
from app.ui.screens.dialog import Dialog

_ADVICE = (
    "This conversation is written to this machine, encrypted, and goes on to be written as it "
    f"grows. {LOST_PASSPHRASE}"
)


class PassphraseScreen(Dialog[str]):
    """Gives back the passphrase once it was typed the same way twice."""

    DEFAULT_CSS = """
    PassphraseScreen .problem { color: $error; }
    """

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Keep this conversation"
            box.border_subtitle = "Enter goes on, Esc keeps nothing"
            yield Static(_ADVICE, markup=False)
            yield Input(placeholder="A new passphrase", password=True, id="first")
            yield Input(placeholder="The same once more", password=True, id="second")
            yield Static(classes="problem", markup=False)

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.cursor_blink = False

    @on(Input.Submitted, "#first")
    def _again(self) -> None:
        self.query_one("#second", Input).focus()

    @on(Input.Submitted, "#second")
    def _compare(self) -> None:
        first, second = (self.query_one(name, Input) for name in ("#first", "#second"))
        if first.value != second.value:
            self._refuse("The two are not the same. Type both again.")
            return
        try:
            Passphrase(first.value).check_strength()
        except UsageError as error:
            self._refuse(str(error))
        else:
            self.dismiss(first.value)

    def _refuse(self, sentence: str) -> None:
        self.query_one(".problem", Static).update(sentence)
        for field in self.query(Input):
            field.value = ""
        self.query_one("#first", Input).focus()
