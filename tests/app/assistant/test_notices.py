"""The sentences that the screens show by themselves."""

from __future__ import annotations

import locale

import pytest

from app.assistant.notices import SYSTEM_PROMPT, information_notice


def test_the_number_is_the_configurations() -> None:
    assert information_notice("112") == "Information, not a diagnosis. In an emergency call 112."


@pytest.mark.parametrize("number", ["", "  "])
def test_without_a_number_none_is_guessed(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setattr(locale, "getlocale", lambda *_: ("en_US", "UTF-8"))
    sentence = information_notice(number)
    assert sentence == (
        "Information, not a diagnosis. In an emergency call your local emergency number."
    )


def test_the_system_prompt_is_fixed_text() -> None:
    """The form that the shipped model was trained on; a change makes every kept state useless."""
    assert SYSTEM_PROMPT == (
        "You are Bedside, a careful medical assistant. You give information, not a diagnosis."
    )
