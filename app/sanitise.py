"""Text from models, files and people, made safe for a terminal.

A terminal obeys what it is shown: `ESC ] 52` writes its clipboard, `ESC [ 2 J` clears it, a bidi
control turns a dose around. None of it has a use in an answer, so it is dropped before anything
is drawn, stored or exported. A sequence may arrive split across pieces of a stream, and may never
end: the stream holds a possible beginning back until it is decided.
"""

from __future__ import annotations

import re

_STRING_LIMIT = 256
"""A control string is swallowed this far and no farther, so that one that never ends cannot hide
the rest of an answer; without its introducer the remainder is plain text."""

_CSI = r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}"
_STRING = rf"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]{{0,{_STRING_LIMIT}}}"
_ESCAPE = r"\x1b[ -/]{0,8}"

_SEQUENCE = re.compile(rf"{_CSI}[@-~]?|{_STRING}(?:\x07|\x1b\\|\x9c)?|{_ESCAPE}[0-~]?")
_UNFINISHED = re.compile(rf"(?:{_CSI}|{_STRING}\x1b?|{_ESCAPE})\Z")

_DROPPED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but newline and tab, DEL, C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"  # bidi controls, invisible format characters, tag characters
)
_LINE_ENDS = re.compile("\r\n|\u2028|\u2029")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARK_FLOOD = re.compile(f"({_MARK}{{4}}){_MARK}+")
_LAST_MARKS = re.compile(rf"{_MARK}*\Z")


def clean(text: str) -> str:
    """The text without control sequences and invisible controls; newlines and tabs stay."""
    return _drop_characters(_SEQUENCE.sub("", text))


def one_line(text: str, limit: int = 200) -> str:
    """`clean`, on one line of at most `limit` characters: for names and values in a sentence."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class Sanitiser:
    """`clean` for a stream: what it returns over all pieces holds no control sequence."""

    def __init__(self) -> None:
        self._held = ""
        self._marks = ""
        """Those that what has been shown ends with: a flood may come mark by mark."""

    def feed(self, piece: str) -> str:
        """What of the stream can be shown now."""
        text = self._held + piece
        unfinished = _UNFINISHED.search(text)
        end = unfinished.start() if unfinished else len(text)
        if text.endswith("\r") and end == len(text):
            end -= 1  # perhaps the first half of a line end
        self._held = text[end:]
        return self._clean(text[:end])

    def finish(self) -> str:
        """The rest. A sequence that never ended is dropped."""
        rest, self._held = self._held, ""
        return self._clean(rest)

    def _clean(self, text: str) -> str:
        """`clean`, as after what has been shown."""
        before = self._marks
        text = clean(before + text)
        self._marks = _LAST_MARKS.findall(text)[0]
        return text[len(before) :]


def _drop_characters(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", text)
    text = _SURROGATES.sub("\ufffd", text)
    return _MARK_FLOOD.sub(r"\1", _DROPPED.sub("", text))
