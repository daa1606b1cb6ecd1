"""English or not, by script and common words."""

from __future__ import annotations

import pytest

from app.safety.language import is_english
from app.safety.words import split


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("severe headache", True),
        ("I have a pain in my knee", True),
        ("tengo un dolor muy fuerte en la rodilla", False),
        ("ho mal di testa e non sto bene", False),
        ("ik heb pijn in mijn knie", False),
        ("μου πονάει το στήθος", False),
        ("胸痛", False),
        ("Señor Peña has a cough", True),
        ("😀😀😀", True),
        ("", True),
    ],
)
def test_it_tells(text: str, english: bool) -> None:
    words = split(text)
    assert is_english(words.text, words.words, frozenset({"headach"})) is english
