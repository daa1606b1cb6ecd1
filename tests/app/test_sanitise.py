"""What a terminal would obey never comes out, however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sanitise import Sanitiser, clean, one_line

HOSTILE = {
    "clear screen": ("a\x1b[2Jb", "ab"),
    "eight-bit CSI": ("a\x9b31mb", "ab"),
    "clipboard, BEL": ("a\x1b]52;c;cm0gLXJm\x07b", "ab"),
    "link, ST": ("\x1b]8;;http://x\x1b\\go\x1b]8;;\x1b\\", "go"),
    "eight-bit OSC and ST": ("a\x9d0;title\x9cb", "ab"),
    "DCS": ("a\x1bPq#0\x1b\\b", "ab"),
    "APC": ("a\x1b_payload\x1b\\b", "ab"),
    "charset": ("a\x1b(0b", "ab"),
    "reset": ("a\x1bcb", "ab"),
    "lone escape": ("a\x1b", "a"),
    "NUL, BEL, BS, DEL": ("a\x00\x07\x08\x7fb", "ab"),
    "carriage return": ("safe\rgone", "safegone"),
    "Windows line end": ("a\r\nb", "a\nb"),
    "bidi override": ("take \u202e5\u202c mg", "take 5 mg"),
    "zero width space and BOM": ("a\u200b\ufeffb", "ab"),
    "tag characters": ("a\U000e0041b", "ab"),
    "lone surrogate": ("a\ud800b", "a\ufffdb"),
    "mark flood": ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
    "OSC that never ends": ("a\x1b]0;" + "x" * 300, "a" + "x" * 46),
}

CONTROLS = st.sampled_from("\x1b\x9b\x9d\x9c\x90[]\\;P_(0J\x07\r\n\t a31m\u202e\ud800\u0301")


@pytest.mark.parametrize("name", HOSTILE)
def test_each_hostile_text_is_made_plain(name: str) -> None:
    text, plain = HOSTILE[name]
    assert clean(text) == plain


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Ibuprofen 200 mg — “twice” a day; naïve Ω, 日本語, 👩‍⚕️\n\t• item [/] [b]"
    assert clean(text) == text


@given(st.lists(st.text(CONTROLS, max_size=6), max_size=8))
def test_a_stream_says_nothing_a_terminal_obeys(pieces: list[str]) -> None:
    sanitiser = Sanitiser()
    shown = "".join(sanitiser.feed(piece) for piece in pieces) + sanitiser.finish()
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in shown)


@given(st.lists(st.text(CONTROLS, max_size=6), max_size=8))
def test_where_the_stream_is_cut_does_not_matter(pieces: list[str]) -> None:
    sanitiser = Sanitiser()
    shown = "".join(sanitiser.feed(piece) for piece in pieces) + sanitiser.finish()
    assert shown == clean("".join(pieces))


def test_a_flood_of_marks_is_one_also_mark_by_mark() -> None:
    sanitiser = Sanitiser()
    flood = "e" + "\u0301" * 500 + "a\u0301"
    assert "".join(map(sanitiser.feed, flood)) + sanitiser.finish() == clean(flood)


@given(st.text(st.characters(codec="utf-8")))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_one_line_joins_and_shortens() -> None:
    assert one_line("a\nb\tc") == "a b c"
    assert one_line("x" * 300) == "x" * 199 + "…"
