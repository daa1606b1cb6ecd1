"""One slip in a long word is mended, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.safety.spelling import Spelling

KNOWN = ("seizur", "unconscious", "diarrhea", "swollen", "chest", "pregnant")
SPELLING = Spelling(KNOWN, ("swallen",))


def distance(a: str, b: str) -> int:
    """Optimal string alignment, the slow way: the oracle."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = a[i - 1] != b[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("siezur", "seizur"),
        ("unconcious", "unconscious"),
        ("diarea", "diarrhea"),
        ("diarhea", "diarrhea"),
        ("swolen", "swollen"),
        ("pregnnt", "pregnant"),
        ("cheest", "chest"),
    ],
)
def test_slips_are_mended(slip: str, meant: str) -> None:
    if distance(slip, meant) > 1:
        assert SPELLING.mended(slip) == slip
    else:
        assert SPELLING.mended(slip) == meant


@pytest.mark.parametrize("word", ["chess", "cheat", "swallen", "stagnant", "headmaster", "x"])
def test_other_words_are_left_alone(word: str) -> None:
    assert SPELLING.mended(word) == word


def test_a_dropped_g_is_heard() -> None:
    assert Spelling(("bleed", "kill"), ()).mended("bleedin") == "bleed"
    assert Spelling(("fit",), ()).mended("fittin") == "fit"
    assert Spelling(("bleed", "asp"), ("aspirin",)).mended("aspirin") == "aspirin"


@given(st.text(alphabet="abcdeghinoprsuwz", min_size=1, max_size=12))
def test_what_is_mended_to_is_known_and_near(word: str) -> None:
    meant = SPELLING.mended(word)
    assert meant == word or (meant in KNOWN and meant[0] == word[0])


@given(st.sampled_from(KNOWN), st.integers(1, 11), st.sampled_from("abcdefgh"))
def test_a_changed_letter_of_a_long_word_is_found(word: str, place: int, letter: str) -> None:
    if len(word) < 6 or place >= len(word):
        return
    slip = word[:place] + letter + word[place + 1 :]
    meant = slip if slip == "swallen" else word
    assert SPELLING.mended(slip) == meant and distance(slip, meant) <= 1
