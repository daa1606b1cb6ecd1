"""Tables of text, for a terminal and for Markdown, that no one's names can break out of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_MARKS = "\\`*_|<>[]~$#&@"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of equal length as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([row[0].ljust(len(first)), *rest])


def markdown_table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as a Markdown table, the first as its head; the cells are Markdown already."""
    head, *body = rows
    yield _piped(head)
    yield _piped(["---", *["---:"] * (len(head) - 1)])
    for row in body:
        yield _piped(row)


def escaped(text: str) -> str:
    """A text of someone else's in Markdown: no markup, no new column, no address made a link."""
    for mark in _MARKS:
        text = text.replace(mark, f"\\{mark}")
    return text.replace("://", ":\\//").replace("www.", "www\\.")


def _piped(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
