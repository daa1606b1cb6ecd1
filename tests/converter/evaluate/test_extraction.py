"""The rule that reads an option out of what a model wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate.extraction import extract
from converter.evaluate.question import Question

ORGAN = Question("o", "Which?", ("the eye", "a lung", "the (left) heart", "eye"), 0)
STUDY = Question("s", "Is it?", ("yes", "no", "maybe"), 0)


@pytest.mark.parametrize(
    ("written", "choice"),
    [
        ("B", 1),
        ("  B. a lung", 1),
        ("(C) because", 2),
        ("**D**", 3),
        ("[A]", 0),
        ("B\nand more", 1),
        ("A lung is what I would say.", 1),
        ("A patient has two of them.", None),
        ("The right answer is (B).", 1),
        ("Answer: C", 2),
        ("the ANSWER is: D", 3),
        ("I think that (B) fits.", 1),
        ("It is either B) or C).", None),
        ("E", None),
        ("It is the (left) heart.", 2),
        ("It is the eye.", None),
        ("eyelid", None),
        ("b", None),
        ("", None),
        ("Vitamin C deficiency", None),
    ],
)
def test_letters(written: str, choice: int | None) -> None:
    assert extract(written, ORGAN, by_label=False) == choice


@pytest.mark.parametrize(
    ("written", "choice"),
    [
        ("Yes. It does.", 0),
        ("NO", 1),
        ("**Maybe**, since", 2),
        ("Nothing is known.", None),
        ("The answer is no, not yes.", 1),
        ("I would say yes", 0),
        ("Some say yes, others no.", None),
        ("", None),
    ],
)
def test_words(written: str, choice: int | None) -> None:
    assert extract(written, STUDY, by_label=True) == choice


@pytest.mark.parametrize(
    ("written", "choice"),
    [
        ("No evidence", 1),
        ("no, none", 0),
        ("The answer is: DNA+", 2),
        ("posıtive", 3),  # re.IGNORECASE holds the dotless i for an i, case folding does not
        ("The answer is positiveness", None),
    ],
)
def test_words_that_begin_alike_end_oddly_or_fold_oddly(written: str, choice: int | None) -> None:
    question = Question("d", "Is it?", ("no", "no evidence", "DNA+", "positive"), 0)
    assert extract(written, question, by_label=True) == choice


@given(st.text(max_size=60), st.booleans())
def test_whatever_is_written_is_an_option_or_nothing(written: str, by_label: bool) -> None:
    question = STUDY if by_label else ORGAN
    choice = extract(written, question, by_label)
    assert choice is None or 0 <= choice < len(question.options)
