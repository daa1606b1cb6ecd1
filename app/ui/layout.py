"""Markdown laid out as lines of one width.

Textual's own Markdown is a tree of widgets, four for each item of a list; every frame lays all of
them out again, and at forty items a key waits a tenth of a second. Lines are laid out once, and
an answer is one widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from markdown_it.token import Token
from textual.content import Content

_NARROWEST = 8
"""Columns that text gets at least, however deep it is nested."""
_HEADING = "bold $primary"
_INLINE = {"strong": "bold", "em": "italic", "s": "strike"}
_BULLETS = ("• ", "– ")
_COLUMN_GAP = " │ "


def lay_out(tokens: Sequence[Token], width: int) -> list[Content]:
    """The lines of a document. A line is at most `width` cells, but where nesting or a table of
    many columns leaves no room for a word."""
    page = _Page(width)
    for token in (stream := iter(tokens)):
        kind, _, part = token.type.rpartition("_")
        if token.level == 0 and part != "close":
            page.part()
        if kind == "table":
            rows = list(_rows(stream))
            page.put(lambda room, rows=rows: table_lines(rows, room))  # type: ignore[misc]
        elif kind in _FRAMES or kind == "heading":
            page.open(token, kind) if part == "open" else page.close(kind)
        elif token.type == "inline":
            page.put(inline(token, page.style).wrap)
        elif token.type in {"fence", "code_block"}:
            lines = token.content.rstrip("\n").split("\n")
            page.put(lambda room, lines=lines: _code(lines, room))  # type: ignore[misc]
        elif token.type == "hr":
            page.put(lambda room: [Content("─" * room)])
    return page.lines


@dataclass(slots=True)
class _Frame:
    """What stands before the lines of a quotation or of a list's item."""

    first: str
    rest: str
    begun: bool = False

    def take(self) -> str:
        """What stands before the next line."""
        prefix = self.rest if self.begun else self.first
        self.begun = True
        return prefix


_FRAMES = {"blockquote", "bullet_list", "ordered_list", "list_item"}


class _Page:
    """The lines so far, and the quotations and lists that are open."""

    def __init__(self, width: int) -> None:
        self.lines: list[Content] = []
        self.style = ""
        self._width = width
        self._frames: list[_Frame] = []
        self._numbers: list[int | None] = []
        self._last: _Frame | None = None
        """The innermost frame of the last block; the next one in it keeps a line's distance."""

    def part(self) -> None:
        """Begin a block at the outermost level, a line away from the one before."""
        if self.lines:
            self.lines.append(Content())
        self._last = None

    def open(self, token: Token, kind: str) -> None:
        """Begin a quotation, list, item or heading."""
        if kind == "blockquote":
            self._frames.append(_Frame("│ ", "│ "))
        elif kind == "list_item":
            bullet = self._bullet()
            self._frames.append(_Frame(bullet, " " * len(bullet)))
        elif kind == "heading":
            self.style = _HEADING
        else:
            ordered = kind == "ordered_list"
            self._numbers.append(int(token.attrs.get("start", 1)) if ordered else None)

    def close(self, kind: str) -> None:
        """End what `open` began. An item without any text still has its bullet."""
        if kind == "heading":
            self.style = ""
        elif kind in {"bullet_list", "ordered_list"}:
            self._numbers.pop()
        else:
            if not self._frames[-1].begun:
                self.put(lambda room: [Content()])
            self._frames.pop()

    def put(self, block: Callable[[int], list[Content]]) -> None:
        """Add the lines of a block, which is told how much room it has."""
        innermost = self._frames[-1] if self._frames else None
        if innermost is not None and innermost is self._last:
            self.lines.append(Content("".join(frame.rest for frame in self._frames).rstrip()))
        self._last = innermost
        room = self._width - sum(len(frame.first) for frame in self._frames)
        for line in block(max(room, _NARROWEST)):
            self.lines.append(Content("".join(frame.take() for frame in self._frames)) + line)

    def _bullet(self) -> str:
        number = self._numbers[-1]
        if number is None:
            return _BULLETS[(len(self._numbers) - 1) % len(_BULLETS)]
        self._numbers[-1] = number + 1
        return f"{number}. "


def inline(token: Token, style: str = "") -> Content:
    """The text of an inline token with its styles over `style`."""
    parts: list[tuple[str, str]] = []
    open_styles = [style] if style else []
    for child in token.children or ():
        kind, _, part = child.type.rpartition("_")
        if part == "open":
            open_styles.append(_INLINE[kind])
        elif part == "close":
            open_styles.pop()
        elif child.type == "softbreak":
            parts.append((" ", ""))
        elif child.type == "hardbreak":
            parts.append(("\n", ""))
        else:
            styles = [*open_styles, "bold"] if child.type == "code_inline" else open_styles
            parts.append((child.content, " ".join(styles)))
    return Content.assemble(*parts)


def _code(lines: list[str], width: int) -> list[Content]:
    return [
        piece for line in lines for piece in Content(line).expand_tabs(4).fold(width) or [Content()]
    ]


def _rows(stream: Iterator[Token]) -> Iterator[list[Content]]:
    """The cells of a table, row by row, up to its end."""
    row: list[Content] = []
    style = ""
    for token in stream:
        if token.type == "table_close":
            return
        if token.type == "tr_close":
            yield row
            row = []
        elif token.type in {"th_open", "td_open"}:
            style = "bold" if token.type == "th_open" else ""
        elif token.type == "inline":
            row.append(inline(token, style))


def table_lines(rows: list[list[Content]], width: int) -> list[Content]:
    """A table with its cells wrapped into columns, a rule below the head."""
    wanted = [max(cell.cell_length for cell in column) for column in zip(*rows, strict=True)]
    widths = share_out(wanted, width - len(_COLUMN_GAP) * (len(wanted) - 1))
    rule = Content(_COLUMN_GAP.replace(" ", "─").replace("│", "┼").join("─" * w for w in widths))
    head, *body = [_row_lines(row, widths) for row in rows]
    return [*head, rule, *(line for lines in body for line in lines)]


def share_out(wanted: list[int], room: int) -> list[int]:
    """Widths for columns: what each wants if there is room, else shares of it by what it wants."""
    total = sum(wanted)
    if total <= max(room, 0):
        return [max(width, 1) for width in wanted]
    return [max(_NARROWEST, room * width // total) for width in wanted]


def _row_lines(row: list[Content], widths: list[int]) -> list[Content]:
    columns = [cell.wrap(width) for cell, width in zip(row, widths, strict=True)]
    return [
        Content(_COLUMN_GAP).join(
            cell.pad_right(width - cell.cell_length)
            for cell, width in zip(line, widths, strict=True)
        )
        for line in zip_longest(*columns, fillvalue=Content())
    ]
