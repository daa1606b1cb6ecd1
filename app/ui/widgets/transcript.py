"""The conversation so far, as far as it is drawn."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.ui.commands import (
    Help,
    JumpToLatest,
    NewLine,
    OtherVersion,
    PageDown,
    PageUp,
    SendQuestion,
    ShowEarlier,
    ShowSources,
    ShowUnsupported,
)
from app.ui.messages import FollowingChanged
from app.ui.widgets.answer import Answer, Reader
from app.ui.widgets.exchange import Exchange, ExchangeText

DRAWN = 20
"""Exchanges that are drawn: each is a tree of widgets, and layout costs for every one."""
STEP = 10
"""Exchanges that "show earlier" adds."""
_NEAR = 2
"""Rows above the end that still count as the end: text comes while a key is on its way."""

WELCOME = (
    "Ask about a symptom, a medicine or a letter from the hospital.\n"
    f"{SendQuestion.key_names()} sends, {NewLine.key_names()} begins a new line, "
    f"{Help.key_names()} shows every key."
)


class Transcript(VerticalScroll, can_focus=False):
    """Draws the latest exchanges and follows the end while the reader is there.

    Nothing that was shown is lost: what is not drawn any more is kept as text and drawn again
    on request.
    """

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        .welcome, .earlier { color: $quiet; height: auto; padding: 0 1; }
        .earlier { margin-bottom: 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.reader = Reader()
        """For whom the next answers are drawn; the screen keeps it up to date."""
        self._exchanges: list[ExchangeText] = []
        self._welcome = Static(WELCOME, classes="welcome", markup=False)
        self._earlier = Static(classes="earlier", markup=False)

    def compose(self) -> ComposeResult:
        yield self._welcome
        yield self._earlier

    def on_mount(self) -> None:
        self.anchor()
        self._update_head()

    @property
    def last(self) -> ExchangeText | None:
        """The latest exchange."""
        return self._exchanges[-1] if self._exchanges else None

    @property
    def count(self) -> int:
        """All exchanges, drawn or not."""
        return len(self._exchanges)

    @property
    def earlier(self) -> int:
        """Exchanges that are not drawn."""
        return len(self._exchanges) - len(self.query_children(Exchange))

    @property
    def following(self) -> bool:
        """Whether the end stays in view as the conversation grows."""
        return self.is_anchored and not self._anchor_released

    @on(PageUp)
    def _page_up(self) -> None:
        self.scroll_page_up(animate=False)

    @on(PageDown)
    def _page_down(self) -> None:
        self.scroll_page_down(animate=False)

    @on(JumpToLatest)
    def follow(self) -> None:
        """Go to the end and stay there."""
        self.anchor()
        self.post_message(FollowingChanged(True))

    @on(OtherVersion)
    def show_next_version(self) -> None:
        """Draw another answer to the latest question."""
        self._last_widget.show_next_version()

    @on(ShowSources)
    def _show_sources(self) -> None:
        from app.ui.screens.sources import SourcesScreen

        if self.last and self.last.answer and self.last.answer.passages:
            self.app.push_screen(SourcesScreen(self.last.answer.passages))

    @on(ShowUnsupported)
    def _show_unsupported(self) -> None:
        from app.ui.screens.unsupported import UnsupportedScreen

        if self.last and self.last.answer and self.last.answer.support:
            self.app.push_screen(UnsupportedScreen(self.last.answer.support))

    async def add_question(self, question: str) -> Answer:
        """Draw a new question with an empty answer and go there."""
        exchange = ExchangeText(question)
        self._exchanges.append(exchange)
        widget = Exchange(exchange, self.reader)
        await self.mount(widget)
        await self._leave_out_oldest()
        self.follow()
        return await widget.add_answer()

    async def add_version(self) -> Answer:
        """Begin another answer to the latest question and go there."""
        self.follow()
        return await self._last_widget.add_answer()

    def replace_last(self) -> None:
        """Mark the latest exchange as replaced; it stays on the screen."""
        if self.last is not None:
            self.last.replaced = True
            self._last_widget.update_view()

    @on(ShowEarlier)
    async def show_earlier(self) -> None:
        """Draw more of what came before, without moving what is read now."""
        end = self.earlier
        batch = self._exchanges[max(0, end - STEP) : end]
        height = self.virtual_size.height
        self.release_anchor()
        await self.mount_all(
            (Exchange(exchange, self.reader) for exchange in batch),
            after=self._earlier,
        )
        self._update_head()
        self.call_after_refresh(self._keep_place, height)

    async def clear(self) -> None:
        """Forget all of it."""
        self._exchanges.clear()
        await self.query_children(Exchange).remove()
        self._update_head()
        self.follow()

    def release_anchor(self) -> None:
        """Leave the reader where they are; called by Textual for each scroll of the user."""
        super().release_anchor()
        self.post_message(FollowingChanged(False))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow again once the reader comes back to the end.

        Textual re-engages only at the very last row, which moves away while text streams
        (Textualize/textual#6677).
        """
        super().watch_scroll_y(old_value, new_value)
        came_down = new_value > old_value and new_value >= self.max_scroll_y - _NEAR
        if came_down and not self.following:
            self.follow()

    @property
    def _last_widget(self) -> Exchange:
        return self.query_children(Exchange).last()

    async def _leave_out_oldest(self) -> None:
        drawn = list(self.query_children(Exchange))
        await self.remove_children(drawn[:-DRAWN])
        self._update_head()

    def _update_head(self) -> None:
        count = self.earlier
        self._welcome.display = not self._exchanges
        self._earlier.display = count > 0
        questions = "question" if count == 1 else "questions"
        more = f"{ShowEarlier.key_names()} shows more"
        self._earlier.update(f"▲ {count} earlier {questions}; {more}")

    def _keep_place(self, height_before: int) -> None:
        self.scroll_to(y=self.scroll_y + self.virtual_size.height - height_before, animate=False)
