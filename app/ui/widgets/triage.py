"""The conversation with what the red flags have to say around it."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from app.assistant.events import Alert
from app.safety import Card
from app.ui.commands import AcknowledgeCard, AnswerNo, AnswerYes, HelpNow, PageDown, PageUp
from app.ui.messages import Said
from app.ui.ports import ChatAssistant
from app.ui.widgets.card import AlertCard
from app.ui.widgets.questions import QuestionLine
from app.ui.widgets.transcript import Transcript


class TriageArea(Vertical):
    """Holds the card above the conversation and the questions below it.

    Both outlive a turn, and neither scrolls away. Nothing here waits for the model.
    """

    DEFAULT_CSS = """
    TriageArea {
        height: 1fr;
        Transcript { min-height: 3; }
    }
    """

    def __init__(
        self, assistant: ChatAssistant, transcript: Transcript, changed: Callable[[], None]
    ) -> None:
        """`changed` is called when a card opens or folds, or another question stands here."""
        super().__init__()
        self._changed = changed
        self._assistant = assistant
        self._transcript = transcript
        self.alert = AlertCard()
        self.questions = QuestionLine()

    def compose(self) -> ComposeResult:
        yield self.alert
        yield self._transcript
        yield self.questions

    def show(self, card: Card) -> bool:
        """Open a card. False where a worse one keeps its place."""
        opened = self.alert.raise_card(card)
        self._changed()
        return opened

    def ask(self) -> None:
        """Show the yes/no questions that stand now."""
        self.questions.show(self._assistant.questions)
        self._changed()

    def clear(self) -> None:
        """A new conversation, perhaps another person."""
        self.alert.clear()
        self.questions.show(())
        self._changed()

    @on(AcknowledgeCard)
    def _acknowledge(self) -> None:
        self.alert.fold()
        self._changed()

    @on(AnswerYes)
    def _yes(self) -> None:
        question = self.questions.current
        alert = self._assistant.confirm(question) if question is not None else None
        self.ask()
        if alert is not None:
            self._raise(alert)

    @on(AnswerNo)
    def _no(self) -> None:
        question = self.questions.current
        if question is not None:
            self._assistant.deny(question)
        self.ask()

    @on(HelpNow)
    def _help(self) -> None:
        from app.ui.screens.card import CardScreen

        card = self._assistant.help_card()
        if card is not None:
            self.app.push_screen(CardScreen(card))

    @on(PageUp)
    def _page_up(self) -> None:
        """A card that is taller than its place moves with the keys of the conversation."""
        self.alert.scroll_page_up(animate=False)

    @on(PageDown)
    def _page_down(self) -> None:
        self.alert.scroll_page_down(animate=False)

    def _raise(self, alert: Alert) -> None:
        if not alert.patient:
            self.post_message(Said(alert.line))
        elif not self.show(alert.card):
            self.post_message(Said(alert.card.folded))
