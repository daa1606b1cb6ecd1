"""Text taken apart: stems, sentences, clauses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.safety.words import split, stem


@pytest.mark.parametrize(
    "forms",
    [
        ("breathe", "breathing", "breathes", "breathed"),
        ("vomit", "vomits", "vomiting", "vomited", "vomitting"),
        ("swell", "swells", "swelling", "swelled"),
        ("numb", "numbness"),
        ("dizzy", "dizziness"),
        ("haemorrhage", "hemorrhage"),
        ("rash", "rashes"),
    ],
)
def test_the_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(("one", "other"), [("hives", "HIV"), ("need", "ne"), ("bleed", "bl")])
def test_words_that_differ_keep_their_stems_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other.lower())


@pytest.mark.parametrize(
    "text", ["can’t breathe", "cant breathe", "I'm unable to breathe", "I cannae breathe"]
)
def test_contractions_are_opened(text: str) -> None:
    assert " ".join(word.stem for word in split(text).words).endswith("can not breath")


@pytest.mark.parametrize(
    ("dialect", "plain"), [("nae wet nappies", "no wet nappies"), ("ma heid", "ma head")]
)
def test_words_of_a_dialect_are_opened_too(dialect: str, plain: str) -> None:
    assert [word.stem for word in split(dialect).words] == [w.stem for w in split(plain).words]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("?PE", "query pe"),
        ("pain ?cause", "pain query cause"),
        ("FAST +ve", "fast positive"),
        ("ketones -ve", "ketones negative"),
        ("well? yes", "well? yes"),
        ("I wanna go", "i want to go"),
    ],
)
def test_shorthand_is_written_out(written: str, read: str) -> None:
    assert split(written).text == read


def test_a_stem_is_mended_once_for_each_word() -> None:
    asked: list[str] = []

    def mend(stem: str) -> str:
        asked.append(stem)
        return stem.upper()

    assert [word.stem for word in split("fever and fever", mend).words] == ["FEVER", "and", "FEVER"]
    assert asked == ["fever"]


def test_sentences_and_clauses() -> None:
    words = split("No fever, but my neck hurts. It is 38.5 °C! Dr. Ames came?")
    assert [word.sentence for word in words.words if word.text in ("fever", "neck", "it")] == [
        0,
        0,
        1,
    ]
    by_text = {word.text: word for word in words.words}
    assert by_text["fever"].clause != by_text["neck"].clause
    assert by_text["but"].after_pause and by_text["ames"].sentence == by_text["dr"].sentence
    assert words.questions == {by_text["came"].sentence}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("goin to end it 2nite", "going to end it tonight"),
        ("2moro 2day 2night", "tomorrow today tonight"),
        ("ah cannae go oan any mair", "i can not go on any more"),
        ("cyaan tek it", "can not take it"),
        ("a 2 day cough, h2o", "a 2 day cough, h2o"),
    ],
)
def test_a_text_as_it_is_typed_and_spoken(typed: str, read: str) -> None:
    assert split(typed).text == read


def test_a_sentence_without_end_is_cut() -> None:
    assert split("pain " * 1000).words[-1].sentence >= 5


@given(st.text())
def test_every_word_stands_where_it_says(text: str) -> None:
    words = split(text)
    for word in words.words:
        assert words.text.startswith(word.text, word.start)
    places = [(word.sentence, word.clause, word.start) for word in words.words]
    assert places == sorted(places)


@given(st.from_regex(r"(?![ao]e)[a-z]{1,15}", fullmatch=True))
def test_a_stem_begins_as_its_word(word: str) -> None:
    """But for "oedema", which is "edema" in the one English and not in the other."""
    found = stem(word)
    assert 1 <= len(found) <= len(word) and found[0] == word[0]
