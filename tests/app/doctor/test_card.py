"""The page for whoever looks after the board."""

from __future__ import annotations

from dataclasses import replace

from app import doctor
from app.doctor import Page
from app.doctor.check import attention, not_checked, ok

PAGE = Page("Raspberry Pi 5", "1.2.3", "small-1b", "ab" * 32, "112", "0800 1234", 300, True)
CHECKS = (
    ok("board", "A board."),
    attention("supply", "It is weak.", "Use a stronger one."),
    not_checked("font", "It does not tell."),
)


def test_it_names_board_release_model_and_numbers() -> None:
    text = "\n".join(doctor.card(PAGE, CHECKS))
    for words in (
        "Raspberry Pi 5",
        "Bedside 1.2.3",
        "small-1b",
        "ab" * 32,
        "**112**",
        "**0800 1234**",
    ):
        assert words in text
    assert "wiped 5 minutes" in text and "a PIN locks it" in text


def test_what_is_not_set_leaves_a_line_to_write_on() -> None:
    text = "\n".join(doctor.card(replace(PAGE, emergency_number="", locked=False), CHECKS))
    assert "call: ______________ (`ui.emergency_number` is not set)" in text
    assert "no PIN" in text


def test_it_holds_what_needs_attention_and_owns_what_was_not_checked() -> None:
    lines = list(doctor.card(PAGE, CHECKS))
    assert "- supply: It is weak. Use a stronger one." in lines
    assert "- Not checked: font." in lines
    assert not any("A board." in line for line in lines)
    assert "- Nothing that could be checked." in list(doctor.card(PAGE, CHECKS[:1]))


def test_every_row_of_the_table_has_both_its_halves() -> None:
    rows = [line for line in doctor.card(PAGE, ()) if line.startswith("|")]
    assert len(rows) > 8 and all(row.count("|") == 3 for row in rows)
