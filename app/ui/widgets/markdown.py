"""Markdown of a model, drawn while it grows.

Textual's own widget does too much and too little for an answer: it rebuilds a whole list for each
piece (186 ms at 34 items), draws bullets and a picture sign that the console font lacks, follows
links, hides HTML, reads table cells as markup in its tooltips, and fails when a table loses a row.
Here a list or a table changes only where it grew; what is read as Markdown at all is decided in
`app.ui.inert`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Markdown, Static
from textual.widgets._markdown import (
    MarkdownBlock,
    MarkdownBullet,
    MarkdownFence,
    MarkdownList,
    MarkdownListItem,
    MarkdownParagraph,
    MarkdownTable,
    MarkdownTableContent,
)

from app.ui.inert import UNDECIDED_LINE, InertParser

Shape = tuple[object, ...]
"""What a block looks like, comparable: its kind, text, spans and the shapes of its inner blocks."""


def content_shape(content: Content) -> Shape:
    """A text with its styles, comparable."""
    return (content.plain, tuple((span.start, span.end, str(span.style)) for span in content.spans))


def shape_of(block: MarkdownBlock) -> Shape:
    """The shape of a block that is not mounted yet (mounting empties its list of inner blocks)."""
    own = (
        type(block).__name__,
        block.bullet if isinstance(block, MarkdownListItem) else "",
        block.code if isinstance(block, MarkdownFence) else "",
        content_shape(block._content),
    )
    return (*own, tuple(map(shape_of, block._blocks)))


def common_start(old: Sequence[Shape], new: Sequence[Shape]) -> int:
    """How many shapes at the start are the same."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(old), len(new)))


async def grow_blocks(parent: Widget, old: Sequence[Shape], blocks: list[MarkdownBlock]) -> None:
    """Turn the mounted children of `parent`, whose shapes are `old`, into `blocks`.

    What did not change is left alone; a paragraph or list that grew at the end is updated in
    place; the rest is mounted anew.
    """
    same = common_start(old, [shape_of(block) for block in blocks])
    children = [child for child in parent.children if isinstance(child, MarkdownBlock)]
    if same == len(old) - 1 and same < len(blocks) and _grows(children[same], blocks[same]):
        await children[same]._update_from_block(blocks[same])
        same += 1
    else:
        await parent.remove_children(children[same:])
    await parent.mount_all(blocks[same:])


def _grows(child: MarkdownBlock, block: MarkdownBlock) -> bool:
    return type(child) is type(block) and isinstance(child, (MarkdownParagraph, GrowingList))


class GrowingList(MarkdownList):
    """A list whose rows (a bullet beside a column of blocks) change only where it grew."""

    DEFAULT_CSS = """
    GrowingList {
        margin: 0 0 1 0;
        Horizontal, Vertical { height: auto; width: 1fr; }
    }
    """

    SUFFIX: ClassVar[str] = ""
    """What follows a number; a list without one shows its items' own bullets."""

    def compose(self) -> ComposeResult:
        items = self._take(self._blocks)
        yield from map(_row, self._symbols(items), items)
        self._blocks.clear()

    async def _update_from_block(self, block: MarkdownBlock) -> None:
        if not isinstance(block, type(self)):
            await super()._update_from_block(block)
            return
        old = self._shapes
        items = self._take(block._blocks)
        same = common_start(old, self._shapes)
        rows = list(self.query_children(Horizontal))
        if same == len(old) - 1 and same < len(items):
            inner = old[same][-1]
            assert isinstance(inner, tuple)
            await grow_blocks(rows[same].query_one(Vertical), inner, items[same]._blocks)
            same += 1
        else:
            await self.remove_children(rows[same:])
        symbols = self._symbols(items)
        _renumber(rows[:same], symbols)
        await self.mount_all(map(_row, symbols[same:], items[same:]))

    def _take(self, blocks: list[MarkdownBlock]) -> list[MarkdownListItem]:
        """The items among the blocks, with their shapes remembered for the next update."""
        items = [block for block in blocks if isinstance(block, MarkdownListItem)]
        self._shapes = [shape_of(item) for item in items]
        return items

    def _symbols(self, items: list[MarkdownListItem]) -> list[str]:
        if not self.SUFFIX:
            return [item.bullet for item in items]
        first = items[0].bullet if items else "1"
        start = int(first) if first.isdecimal() else 1
        numbers = [f"{number}{self.SUFFIX}" for number in range(start, start + len(items))]
        width = max(map(len, numbers), default=0) + 1
        return [number.rjust(width) for number in numbers]


def _row(symbol: str, item: MarkdownListItem) -> Horizontal:
    bullet = MarkdownBullet()
    bullet.symbol = symbol
    return Horizontal(bullet, Vertical(*item._blocks))


def _renumber(rows: list[Horizontal], symbols: list[str]) -> None:
    """Number ten makes the numbers before it a column wider."""
    for row, symbol in zip(rows, symbols, strict=False):
        bullet = row.query_one(MarkdownBullet)
        if bullet.symbol != symbol:
            bullet.symbol = symbol
            bullet.refresh(layout=True)


class BulletList(GrowingList):
    """A list with bullets."""


class OrderedList(GrowingList):
    """A list with numbers."""

    SUFFIX = ". "


class GrowingTableContent(MarkdownTableContent):
    """The cells of a table: the header's, then row by row. None has a tooltip."""

    def compose(self) -> ComposeResult:
        yield from self._cells(0)

    async def grow(self, headers: list[Content], rows: list[list[Content]]) -> None:
        """Take the rows as they are now; what was mounted and is the same stays."""
        old = [self.headers, *self.rows]
        new = [headers, *rows]
        same = common_start([_row_shape(row) for row in old], [_row_shape(row) for row in new])
        self.headers, self.rows = headers, rows
        await self.remove_children(list(self.children)[sum(map(len, new[:same])) :])
        self.styles.grid_size_columns = len(headers)
        await self.mount_all(self._cells(same))

    def _cells(self, first: int) -> list[Static]:
        rows = [self.headers, *self.rows]
        return [
            Static(cell, classes="cell" if index else "header", markup=False)
            for index, row in enumerate(rows[first:], first)
            for cell in row
        ]


def _row_shape(row: list[Content]) -> Shape:
    return tuple(map(content_shape, row))


class GrowingTable(MarkdownTable):
    """A table that changes only where it grew."""

    def compose(self) -> ComposeResult:
        headers, rows = self._get_headers_and_rows()
        yield GrowingTableContent(headers, rows)

    async def _update_from_block(self, block: MarkdownBlock) -> None:
        if isinstance(block, GrowingTable):
            await self.query_one(GrowingTableContent).grow(*block._get_headers_and_rows())
        else:
            await MarkdownBlock._update_from_block(self, block)


class PlainFence(MarkdownFence):
    """Preformatted text. No lexer guesses at it: an answer holds no program."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        return Content(code)


_BLOCKS: dict[str, type[MarkdownBlock]] = {
    "bullet_list_open": BulletList,
    "ordered_list_open": OrderedList,
    "table_open": GrowingTable,
    "fence": PlainFence,
    "code_block": PlainFence,
}


class AnswerMarkdown(Markdown):
    """Markdown that grows by `write` and does nothing but show text.

    The beginning of a line is held back until it says what the line is. Drawn at once, it would
    flicker through other shapes, and Textual, which reads on from the last block alone, would
    take a line of the block before for a new one.
    """

    DEFAULT_CSS = """
    AnswerMarkdown {
        padding: 0;
        MarkdownBlockQuote, MarkdownBlockQuote:light { border-left: heavy $quiet; }
        MarkdownHeader { margin: 0 0 1 0; content-align: left middle; color: $primary; }
        MarkdownFence { margin: 0 0 1 0; }
    }
    """

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text, parser_factory=InertParser, open_links=False)
        self.BULLETS = ["• ", "– "]
        self._held = ""

    async def write(self, piece: str) -> None:
        """Show more of the text."""
        text = self._held + piece
        line = text.rfind("\n") + 1
        begins_here = line > 0 or not self.source or self.source.endswith("\n")
        end = line if begins_here and UNDECIDED_LINE.fullmatch(text, line) else len(text)
        self._held = text[end:]
        if end:
            await self.append(text[:end])

    async def finish(self) -> None:
        """Show what was held back: nothing more will come."""
        rest, self._held = self._held, ""
        if rest:
            await self.append(rest)

    def get_block_class(self, block_name: str) -> type[MarkdownBlock]:
        """The blocks of this module where it has one, Textual's for the rest."""
        return _BLOCKS.get(block_name) or super().get_block_class(block_name)
