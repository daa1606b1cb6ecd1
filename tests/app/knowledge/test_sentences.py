from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.sentences import sentences


def test_sentences_end_at_marks_and_lines() -> None:
    text = "Drink water. Rest! Is it worse?\n- Call a doctor\n2. Take care"
    assert sentences(text) == [
        "Drink water.",
        "Rest!",
        "Is it worse?",
        "Call a doctor",
        "Take care",
    ]


def test_citations_belong_to_the_sentence_before() -> None:
    assert sentences("It burns. [1] It passes. [2]") == ["It burns. [1]", "It passes. [2]"]


def test_abbreviations_and_numbers_do_not_end_one() -> None:
    assert len(sentences("Ask Dr. Miller about 2.5 mg, i.e. half of it.")) == 1


@given(st.text(max_size=400))
def test_no_word_is_lost(text: str) -> None:
    kept = "".join("".join(sentences(text)).split())
    whole = iter("".join(text.split()))
    assert all(letter in whole for letter in kept)
    assert {c for c in text if c.isalpha()} == {c for c in kept if c.isalpha()}
