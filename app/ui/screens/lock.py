"""The kiosk's lock: digits that keep passers-by from the screen, and no more than that."""

from __future__ import annotations

import hmac
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from app.ui.commands import HelpNow
from app.ui.ports import ChatAssistant
from app.ui.screens.card import CardScreen
from app.ui.widgets.countdown import Countdown

_ADVICE = (
    "Type the PIN. It keeps passers-by from this screen; it does not protect the machine from "
    "somebody who takes it away."
)
_LONGEST_WAIT = 60


class LockScreen(ModalScreen[None]):
    """Closes when the PIN was typed. Each wrong one doubles the wait, up to a minute.

    The wait begins anew after a wipe: that takes minutes without a key, and a minute is the most
    there is to gain. Ten thousand PINs of four digits take a week.
    """

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
        self, pin: str, notice: str, assistant: ChatAssistant, countdown: Countdown
    ) -> None:
        super().__init__()
        self._pin = pin
        self._notice = notice
        self._assistant = assistant
        self._countdown = countdown
        self._wait = 1

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Locked"
            yield Static(_ADVICE, markup=False)
            yield Input(placeholder="PIN", password=True)
            yield Static(classes="problem", markup=False)
            yield Static(self._notice, classes="notice", markup=False)
            yield self._countdown
            yield Static(f"{HelpNow.key_names()}: crisis help", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    def action_help_now(self) -> None:
        """Help in a crisis needs no PIN."""
        card = self._assistant.help_card()
        if card is not None:
            self.app.push_screen(CardScreen(card))

    @on(Input.Submitted)
    def _try(self, event: Input.Submitted) -> None:
        if hmac.compare_digest(event.value.encode(), self._pin.encode()):
            self.dismiss(None)
            return
        event.input.value = ""
        event.input.disabled = True
        seconds = "second" if self._wait == 1 else "seconds"
        problem = f"That is not the PIN. Wait {self._wait} {seconds}."
        self.query_one(".problem", Static).update(problem)
        self.set_timer(self._wait, self._let_try)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)

    def _let_try(self) -> None:
        self.query_one(".problem", Static).update("Try again.")
        field = self.query_one(Input)
        field.disabled = False
        field.focus()
