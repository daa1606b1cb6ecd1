"""The kiosk's lock: digits that keep passers-by from the screen, and no more than that."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from app.ui.commands import HelpNow
from app.ui.ports import ChatAssistant, Lock
from app.ui.screens.card import CardScreen
from app.ui.widgets.countdown import Countdown

_ADVICE = (
    "Type the PIN. It keeps passers-by from this screen; it does not protect the machine from "
    "somebody who takes it away."
)
_LONGEST = 64


class LockScreen(ModalScreen[None]):
    """Closes when the PIN was typed. Each wrong one doubles the wait, also over a restart."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(HelpNow.keys, "help_now", "Crisis help", priority=True)
    ]

    DEFAULT_CSS = """
    LockScreen {
        align: center middle;
        background: $background;
        #box { width: 60; max-width: 100%; min-width: 20; height: auto; padding: 1 2;
            border: round $primary; border-title-color: $primary; }
        Static { height: auto; margin-bottom: 1; }
        Input, Input:focus { border: round $quiet; background: $background; }
        .notice { color: $warning; }
        .problem { color: $error; }
    }
    """

    def __init__(
        self, lock: Lock, notice: str, assistant: ChatAssistant, countdown: Countdown
    ) -> None:
        super().__init__()
        self._pin = lock
        self._notice = notice
        self._assistant = assistant
        self._countdown = countdown

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Locked"
            yield Static(_ADVICE, markup=False)
            yield Input(placeholder="PIN", password=True, max_length=_LONGEST)
            yield Static(classes="problem", markup=False)
            yield Static(self._notice, classes="notice", markup=False)
            yield self._countdown
            yield Static(f"{HelpNow.key_names()}: crisis help", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        if self._pin.left:
            self._wait("Too many wrong PINs.")

    def action_help_now(self) -> None:
        """Help in a crisis needs no PIN."""
        card = self._assistant.help_card()
        if card is not None:
            self.app.push_screen(CardScreen(card))

    @on(Input.Submitted)
    async def _try(self, event: Input.Submitted) -> None:
        event.input.value = ""
        event.input.disabled = True
        if await asyncio.to_thread(self._pin.opens, event.value):
            self.dismiss(None)
        else:
            self._wait("That is not the PIN.")

    def _wait(self, reason: str) -> None:
        left = self._pin.left
        seconds = "second" if left == 1 else "seconds"
        self._say(f"{reason} Wait {left} {seconds}. {self._pin.trouble}".strip())
        self.query_one(Input).disabled = True
        self.set_timer(left, self._let_try)

    def _let_try(self) -> None:
        if self._pin.left:
            self._wait("Too many wrong PINs.")
            return
        self._say("Try again.")
        field = self.query_one(Input)
        field.disabled = False
        field.focus()

    def _say(self, sentence: str) -> None:
        self.query_one(".problem", Static).update(sentence)
