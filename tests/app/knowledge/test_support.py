from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.passage import Passage
from app.knowledge.support import claims, uncited_doses, unsupported_sentences

GOUT = Passage(
    1,
    "Gout - treatment",
    "us",
    "",
    "",
    "CC BY 4.0",
    "Gout is caused by uric acid crystals in a joint. The big toe is often the first joint. "
    "Rest the joint and drink plenty of water. Adults take 200 mg of ibuprofen, "
    "at most 1,200 mg a day. Do not take aspirin for gout. Paracetamol 500 mg or 1 g is another "
    "way.",
    1.0,
)


def unsupported(answer: str) -> list[str]:
    return [one.text for one in unsupported_sentences(answer, [GOUT])]


def test_three_of_five() -> None:
    answer = (
        "Gout comes from uric acid crystals in a joint [1]. Drink plenty of water and rest. "
        "Cherries dissolve kidney stones overnight. Vaccination protects newborn infants. "
        "Surgery removes every damaged tendon."
    )
    assert len(claims(answer)) == 5
    assert unsupported(answer) == claims(answer)[2:]
    assert [one.place for one in unsupported_sentences(answer, [GOUT])] == [2, 3, 4]


def test_a_number_from_nowhere_is_seen() -> None:
    assert not unsupported("Adults take at most 1200 mg of ibuprofen a day.")
    assert unsupported("Adults take at most 2400 mg of ibuprofen a day.")


def test_a_denial_from_nowhere_is_seen() -> None:
    source = Passage(2, "Gout", "", "", "", "", "Rest the joint. Drink water.", 1.0)
    assert not unsupported_sentences("Rest the joint and drink water.", [source])
    assert unsupported_sentences("Do not rest the joint and do not drink water.", [source])


def test_words_far_apart_support_nothing() -> None:
    far = Passage(
        3, "T", "", "", "", "", "Lemons grow on trees. A. B b. C c. D d. Wounds heal slowly.", 1.0
    )
    assert unsupported_sentences("Lemon trees heal wounds.", [far])


def test_questions_and_yes_claim_nothing() -> None:
    assert claims("Yes. Do you have a fever today? Drink plenty of water.") == [
        "Drink plenty of water."
    ]


def test_without_passages_nothing_is_supported() -> None:
    assert len(unsupported_sentences("Drink plenty of water.", [])) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "Take 200 mg of ibuprofen [1].",
        "Take 200mg Advil [1].",
        "Take at most 1200 mg of ibuprofen a day [1].",
        "Take 1000 mg of acetaminophen [1].",
        "Take 0.5 g of paracetamol [1].",
        "Drink water for 3 days [1].",
        "Call in 20 years.",
    ],
)
def test_doses_that_stand_in_the_cited_passage(answer: str) -> None:
    assert uncited_doses(answer, [GOUT]) == []


@pytest.mark.parametrize(
    "answer",
    [
        "Take 400 mg of ibuprofen [1].",
        "Take 200 mg of ibuprofen.",
        "Take 200 mg of naproxen [1].",
        "Take 200 mcg of ibuprofen [1].",
        "Take 200 g of ibuprofen [1].",
        "Take 500 mg of ibuprofen [1].",
        "Take two tablets [1].",
        "Take 2 to 3 capsules [1].",
        "Take ibuprofen 800 [1].",
        "Take 200-400 mg of ibuprofen [1].",
        "Take 200 mg of ibuprofen [2].",
    ],
)
def test_doses_that_do_not(answer: str) -> None:
    assert [one.text for one in uncited_doses(answer, [GOUT])] == [answer]


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_checked(answer: str, source: str) -> None:
    found = Passage(1, "T", "", "", "", "", source, 1.0)
    assert len(unsupported_sentences(answer, [found])) <= len(claims(answer))
    assert len(uncited_doses(answer, [found])) <= len(claims(answer))


@given(st.text(max_size=300))
def test_a_source_supports_itself(source: str) -> None:
    found = Passage(1, "T", "", "", "", "", source, 1.0)
    assert unsupported_sentences(source, [found]) == []
    assert uncited_doses(f"{source} [1]", [found]) == []
