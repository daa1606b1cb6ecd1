"""The card of a red flag: whom to call and what to do, before anything of the model."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.safety import Card, Level
from app.ui.commands import AcknowledgeCard

_CLASSES = {Level.CALL: "-call", Level.CRISIS: "-crisis", Level.TODAY: "-today"}


def card_text(card: Card) -> str:
    """Everything below the card's first lines: why, what to do, and who says so."""
    steps = [f"{number}. {step}" for number, step in enumerate(card.steps, start=1)]
    source = [f"Source: {card.source}"] if card.source else []
    return "\n".join([card.say, *steps, *source])


class CardBody(VerticalScroll, can_focus=False):
    """Draws a card: title and head first, so that a small window shows them before the rest."""

    DEFAULT_CSS = """
    CardBody {
        height: auto;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        border-left: heavy $quiet;
        &.-call { border-left: heavy $error; }
        &.-crisis, &.-today { border-left: heavy $warning; }
        Static { height: auto; }
        .head { text-style: bold; }
        &.-call .head { color: $error; }
        &.-crisis .head, &.-today .head { color: $warning; }
    }
    """

    def __init__(self, card: Card | None = None) -> None:
        super().__init__()
        self._card = card
        self._head = Static(classes="head", markup=False)
        self._rest = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._rest

    def on_mount(self) -> None:
        if self._card is not None:
            self.show(self._card)

    def show(self, card: Card) -> None:
        """Draw the whole card."""
        self._set_level(card.level)
        self._head.update(f"{card.title}\n{card.head}")
        self._rest.update(card_text(card))
        self._rest.display = True
        self.scroll_home(animate=False)

    def show_folded(self, card: Card) -> None:
        """Draw the one line that stays."""
        self._set_level(card.level)
        self._head.update(card.folded)
        self._rest.display = False

    def _set_level(self, level: Level) -> None:
        for one, name in _CLASSES.items():
            self.set_class(one is level, name)


class AlertCard(CardBody):
    """The worst card of the conversation. Acknowledged it is one line, which stays."""

    DEFAULT_CSS = """
    AlertCard {
        display: none;
        max-height: 80%;
        margin: 0 1;
    }
    """

    @property
    def card(self) -> Card | None:
        """What it shows, open or folded."""
        return self._card

    @property
    def is_open(self) -> bool:
        """Whether it waits to be acknowledged."""
        return self._card is not None and self._rest.display

    def raise_card(self, card: Card) -> bool:
        """Open this card. False where a worse one keeps its place.

        One of the same level opens too: somebody has just said it again. Only “not checked”, which
        a conversation in another language would repeat at every turn, stays folded once it is.
        """
        shown = self._card
        if shown is not None and card.level < shown.level:
            return False
        repeated = shown is not None and shown.level is card.level is Level.UNREAD
        stays_folded = repeated and not self.is_open
        self._card, self.display = card, True
        if stays_folded:
            self.show_folded(card)
        else:
            self.show(card)
        return True

    def fold(self) -> None:
        """The person has read it."""
        if self._card is not None:
            self.show_folded(self._card)

    def clear(self) -> None:
        """A new conversation."""
        self._card, self.display = None, False

    def show(self, card: Card) -> None:
        """Draw the whole card, with the key that folds it."""
        super().show(card)
        self._rest.update(f"{card_text(card)}\n{AcknowledgeCard.key_names()}: I have read this.")
