"""What a pattern finds, by how it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.safety.patterns import Lexicon, Text
from app.safety.words import split

LISTS = {"pain": ("pain", "hurt", "killing me"), "limb": ("arm", "{leg}"), "leg": ("leg", "shin")}
FILLERS = frozenset({"my", "the", "really", "is", "in"})


def found(pattern: str, text: str) -> bool:
    lexicon = Lexicon(LISTS)
    parsed = lexicon.parse(pattern)
    return bool(Text(split(text).words, lexicon, FILLERS).matches(parsed))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("can not breathe", "I can't really breathe"),
        ("{pain} & chest", "my chest, such pain"),
        ("{pain} & chest", "an awful pain that sits in the chest"),
        ("{pain} & chest", "my chest is killing me"),
        ("face .. droop", "her face has begun to droop"),
        ("{limb} weak", "My shins are... no, the shin is weak"),
        ("stiff_neck|rigid", "the stiff neck"),
        ("cut & off & finger", "cut my finger off"),
        ("=sob at rest", "SOB at rest"),
        ("fever && rash", "a fever since Monday, however there is also one more rash"),
    ],
)
def test_it_is_found(pattern: str, text: str) -> None:
    assert found(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("can not breathe", "I can breathe"),
        ("can not breathe", "I can not, after all of this long story, breathe"),
        ("{pain} & chest", "My chest is fine. My knee hurts."),
        ("{pain} & chest", "my chest is fine, but my knee hurts"),
        ("{pain} & chest", "pain one two three four five six seven chest"),
        ("face .. droop", "droop in the face"),
        ("stroke", "keystroke"),
        ("=sob at rest", "sobbing at rest"),
        ("chest", "chess"),
    ],
)
def test_it_is_not_found(pattern: str, text: str) -> None:
    assert not found(pattern, text)


@pytest.mark.parametrize(
    "pattern", ["", "&", "a &", "& a", "a & & b", "{nothing}", "{leg", "a|", "|"]
)
def test_what_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="“"):
        Lexicon(LISTS).parse(pattern)


def test_a_list_within_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="no list “a”"):
        Lexicon({"a": ("{b}",), "b": ("{a}",)}).parse("{a}")


@given(st.lists(st.sampled_from(["pain", "chest", "my", "and", ".", ",", "but"]), max_size=30))
def test_places_that_are_near_agree_with_a_plain_search(parts: list[str]) -> None:
    text = " ".join(parts)
    words = split(text).words
    plain = any(
        a.stem == "pain"
        and b.stem == "chest"
        and a.clause == b.clause
        and sum(word.text not in FILLERS for word in words[min(i, j) + 1 : max(i, j)]) <= 6
        for i, a in enumerate(words)
        for j, b in enumerate(words)
    )
    assert found("pain & chest", text) == plain
