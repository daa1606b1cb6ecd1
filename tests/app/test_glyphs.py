"""What stands for a character that the console cannot draw: never another number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import glyphs


@pytest.mark.parametrize(
    ("text", "legible"),
    [
        ("10⁹/L", "10^9/L"),
        ("10⁻⁶ mol", "10^-6 mol"),
        ("m² and m³", "m² and m³"),
        ("1⅓ tablets", "1 1/3 tablets"),
        ("⅔ of it", "2/3 of it"),
        ("½ of it", "½ of it"),
        ("H₂O at 37 ℃", "H2O at 37 °C"),
        ("ﬁne", "fine"),
        ("5 µg of β, 漢", "5 µg of β, 漢"),
        ("plain", "plain"),
    ],
)
def test_what_needs_more_room_is_spelled_out(text: str, legible: str) -> None:
    assert glyphs.spelled_out(text) == legible


@pytest.mark.parametrize(
    ("character", "drawn"),
    [("✓", "√"), ("a", "a"), ("₂", "2"), ("ḿ", "m"), ("\u0301", ""), ("漢", "\ufffd")],
)
def test_a_stand_in_means_the_same_or_nothing(character: str, drawn: str) -> None:
    assert glyphs.stand_in(character) == drawn


@pytest.mark.parametrize("character", "⁴⁵⁶⁷⁸⁹⅓⅔⅛")
def test_no_part_of_a_number_becomes_another(character: str) -> None:
    assert glyphs.stand_in(character) == glyphs.UNKNOWN


@given(st.characters())
def test_every_stand_in_is_in_the_font(character: str) -> None:
    drawn = glyphs.stand_in(character)
    assert len(drawn) <= 1 and set(drawn) <= glyphs.characters()


@given(st.text())
def test_spelling_out_is_done_once(text: str) -> None:
    once = glyphs.spelled_out(text)
    assert glyphs.spelled_out(once) == once
