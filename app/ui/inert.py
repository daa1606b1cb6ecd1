"""Reading Markdown that nobody vouches for: it can be shown, and that is all it can do."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

UNDECIDED_LINE = re.compile(r"[-+*_=~`#>|:.)0-9 \t]{0,40}")
"""A last line that may still become anything: `-` is a heading's underline until `- item` comes,
and `*` a bullet until `**bold**`."""

DEEPEST = 20
"""Columns in which marks of quotations and lists count as such."""

_MARK = r">|[-+*](?=[ \t]|\Z)|\d{1,9}[.)](?=[ \t]|\Z)"
_PREFIX = re.compile(rf"(?:[ \t]|{_MARK})*")
_ONE_MARK = re.compile(_MARK)


class InertParser(MarkdownIt):
    """CommonMark with tables, without whatever could act or hide.

    Without links, pictures and HTML there is nothing to click or fetch and no word is left out;
    without entities `&#8238;` cannot bring back the bidi control that the sanitiser took out.
    """

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False, "maxNesting": 4 * DEEPEST})
        self.enable(["table", "strikethrough"])
        self.disable(
            ["link", "image", "autolink", "entity", "html_inline", "html_block", "reference"]
        )

    def parse(self, src: str, env: MutableMapping[str, Any] | None = None) -> list[Token]:
        """Tokens of the text, with quotations and lists only as deep as `DEEPEST` columns.

        Each level is a widget and a recursion, and markdown-it leaves out what is nested deeper
        than its limit: five hundred `>` must neither overflow the stack nor hide a word.
        """
        return super().parse("\n".join(map(_shallow, src.split("\n"))), env)


def _shallow(line: str) -> str:
    """The line with the first mark beyond `DEEPEST` columns escaped, which ends the marks."""
    prefix = _PREFIX.match(line)
    assert prefix is not None  # it matches the empty string
    if len(prefix[0].expandtabs(4)) <= DEEPEST:
        return line
    for mark in _ONE_MARK.finditer(line, 0, prefix.end()):
        if len(line[: mark.start()].expandtabs(4)) >= DEEPEST:
            sign = mark.end() - 1  # of a number it is the dot that makes the mark
            return f"{line[:sign]}\\{line[sign:]}"
    return line
