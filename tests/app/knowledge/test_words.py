from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.stem import stem
from app.knowledge.words import STOP_WORDS, fold, term, terms, words

# Words and stems of Porter's paper (Program 14(3), 1980), step by step.
PAPER = """
caresses caress ponies poni ties ti cats cat feed feed agreed agre plastered plaster bled bled
motoring motor sing sing conflated conflat troubled troubl sized size hopping hop tanned tan
falling fall hissing hiss fizzed fizz failing fail filing file happy happi sky sky
relational relat conditional condit rational ration valenci valenc digitizer digit radicalli radic
differentli differ vietnamization vietnam operator oper feudalism feudal decisiveness decis
hopefulness hope formaliti formal sensitiviti sensit sensibiliti sensibl triplicate triplic
formative form formalize formal electriciti electr electrical electr goodness good revival reviv
allowance allow inference infer airliner airlin adjustable adjust defensible defens irritant irrit
replacement replac adjustment adjust dependent depend adoption adopt homologou homolog
communism commun activate activ effective effect bowdlerize bowdler probate probat rate rate
cease ceas controll control roll roll
"""


@pytest.mark.parametrize(
    ("word", "expected"), zip(PAPER.split()[::2], PAPER.split()[1::2], strict=True)
)
def test_stems_of_the_paper(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("anaemia", "anemia"),
        ("leukaemia", "leukemia"),
        ("diarrhoea", "diarrhea"),
        ("apnoea", "apnea"),
        ("oedema", "edema"),
        ("oesophagus", "esophagus"),
        ("tumours", "tumors"),
        ("paralysed", "paralyzed"),
        ("fibre", "fiber"),
        ("goitre", "goiter"),
        ("haemorrhage", "hemorrhage"),
        ("caesarean", "cesarean"),
    ],
)
def test_both_spellings_are_one_term(british: str, american: str) -> None:
    assert term(british) == term(american)


def test_words_that_must_stay_apart() -> None:
    pairs = [("ill", "i"), ("toe", "the"), ("aerobic", "erotic"), ("hair", "heir")]
    assert all(term(left) != term(right) for left, right in pairs)


def test_possessives_contractions_and_accents() -> None:
    assert fold("Crohn’s Sjögren's don't") == "crohn sjogren dont"
    assert words("I don't have Crohn’s disease") == ["crohn", "disease"]


def test_stop_words_leave_the_body_alone() -> None:
    assert not STOP_WORDS & {"back", "down", "ill", "foot", "head"}


@given(st.text(max_size=200))
def test_no_term_can_break_a_query(text: str) -> None:
    for one in terms(text):
        assert one
        assert not set(one) & set("\" '()*:^-+{}")
        assert len(one) <= 60
