"""Whom to call in a crisis, over everything else and one key away at any time."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from app.safety import Card
from app.ui.commands import HelpNow
from app.ui.screens.dialog import Dialog
from app.ui.widgets.card import CardBody


class CardScreen(Dialog[None]):
    """Shows one card until a key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{HelpNow.keys},q,enter", "close", "Close", priority=True)
    ]

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_subtitle = "Esc closes"
            yield CardBody(self._card)
