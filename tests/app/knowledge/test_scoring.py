from __future__ import annotations

import math

import pytest

from app.knowledge.concepts import Concept
from app.knowledge.scoring import Candidate, Weighing, best_topics, scored

MEANS = {"topic": 2.0, "also": 2.0, "kind": 1.0, "body": 4.0}


def concept(*names: str, rarity: float = 2.0, anchored: bool = True) -> Concept:
    own, *others = ((name,) for name in names)
    return Concept(((own, 1.0), *((other, 0.5) for other in others)), rarity, 1.0, anchored)


def hits(concepts: list[Concept], *fields: str) -> tuple[float, ...]:
    return Weighing(concepts, MEANS, lambda _one: 1.0).hits(fields)


def test_one_mention_in_a_body_of_mean_length_is_bm25s_own_value() -> None:
    """k1 = 1.2, tf = 1, dl = avdl: rarity * tf * (k1 + 1) / (tf + k1) = rarity."""
    assert hits([concept("toe")], "x", "", "", "a big toe hurts")[0] == pytest.approx(2.0)


def test_by_hand_with_a_longer_body() -> None:
    frequency = 2 / (1 - 0.6 + 0.6 * 8 / 4)
    expected = 2.0 * 2.2 * frequency / (frequency + 1.2)
    found = hits([concept("toe")], "x", "", "", "toe b c d toe f g h")
    assert found[0] == pytest.approx(expected)


def test_a_synonym_is_no_second_hit_and_counts_less() -> None:
    both = hits([concept("pee", "urine")], "x", "", "", "pee and urine here")
    own = hits([concept("pee", "urine")], "x", "", "", "pee and what here")
    other = hits([concept("pee", "urine")], "x", "", "", "what and urine here")
    assert both == own
    assert other[0] == pytest.approx(own[0] / 2)


def test_half_a_name_counts_half() -> None:
    fields = ("heart attack", "", "", "")
    half = hits([concept("attack")], *fields)[0]
    whole = hits([concept("attack"), concept("heart")], *fields)[0]
    frequency = 5.0
    assert whole == pytest.approx(2 * 2.2 * frequency / (frequency + 1.2))
    assert half == pytest.approx(2 * 2.2 * frequency / 2 / (frequency / 2 + 1.2))


def test_no_phrase_reaches_across_fields_or_into_words() -> None:
    phrase = Concept(((("big", "toe"), 1.0),), 2.0)
    assert hits([phrase], "big", "toe", "", "bigger toe") == (0.0,)
    assert hits([concept("toe")], "toes", "mistletoe", "", "") == (0.0,)


def test_the_sign_under_symptoms_tells_which_treatment_is_meant() -> None:
    concepts = [concept("toe"), concept("red")]
    found = [
        Candidate(1, "gout", "treatment", (0.0, 0.0)),
        Candidate(2, "gout", "symptoms", (2.0, 2.0)),
        Candidate(3, "flu", "treatment", (0.0, 1.0)),
    ]
    ranked = scored(found, concepts, {"treatment": 1.0})
    assert [one.id for one in ranked] == [1, 2, 3]
    assert best_topics(found, 1) == {"gout"}


def test_coverage_is_the_share_of_the_question() -> None:
    concepts = [concept("toe", rarity=3.0), concept("red", rarity=1.0)]
    (found,) = scored([Candidate(1, "t", "", (9.0, 0.0))], concepts, {})
    assert found.coverage == pytest.approx(0.75)
    assert found.good


def test_words_outside_medicine_count_little_and_suffice_only_together() -> None:
    outside = [concept(name, anchored=False, rarity=9.0) for name in ("alpha", "beta")]
    asked = [*outside, concept("toe", rarity=3.0)]
    (found,) = scored([Candidate(1, "t", "", (0.0, 0.0, 3.0))], asked, {})
    assert found.coverage == pytest.approx(3 / (3 + 1.5 + 1.5))
    (alone,) = scored([Candidate(1, "t", "", (9.0,))], outside[:1], {})
    (both,) = scored([Candidate(1, "t", "", (9.0, 9.0))], outside, {})
    (one,) = scored([Candidate(1, "t", "", (9.0, 0.0))], outside, {})
    assert [alone.good, both.good, one.good] == [False, True, False]


def test_equal_scores_keep_one_order() -> None:
    found = [Candidate(number, "t", "", (1.0,)) for number in (3, 1, 2)]
    assert [one.id for one in scored(found, [concept("toe")], {})] == [1, 2, 3]
    assert all(math.isfinite(one.score) for one in scored(found, [concept("toe")], {}))
