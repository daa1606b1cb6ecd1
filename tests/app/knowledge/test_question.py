from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.question import KINDS, naming_words, topic_words, wanted_kinds


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What are the symptoms of gout?", "symptoms"),
        ("How do I know if I have gout?", "symptoms"),
        ("How is gout treated?", "treatment"),
        ("Can it be cured?", "treatment"),
        ("Why do my joints swell?", "causes"),
        ("How is gout diagnosed?", "exams and tests"),
        ("Does it run in families?", "inheritance"),
        ("How common is gout?", "frequency"),
        ("Which gene is changed?", "genetic changes"),
        ("Who is at risk of gout?", "susceptibility"),
        ("How can I avoid gout?", "prevention"),
        ("What should I eat with gout?", "considerations"),
        ("Are there clinical trials?", "research"),
        ("What is the outlook?", "outlook"),
        ("What happens if gout is left untreated?", "complications"),
        ("When should I call a doctor?", "urgency"),
        ("What is gout?", "information"),
    ],
)
def test_the_kind_that_is_asked_for(question: str, kind: str) -> None:
    wanted = wanted_kinds(question)
    assert wanted[kind] == max(wanted.values()) == 1.0


def test_the_sentence_that_asks_decides() -> None:
    wanted = wanted_kinds("My mother was treated for gout. How common is it?")
    assert "treatment" not in wanted


def test_whoever_only_tells_wants_to_know_what_it_may_be() -> None:
    assert set(wanted_kinds("my toe is red and hot")) == {"information", "symptoms"}


def test_asking_words_name_no_topic() -> None:
    assert topic_words("What are the symptoms of gout?") == ["gout"]
    assert topic_words("What is research?") == ["research"]
    assert topic_words("???") == []
    assert naming_words("How long does it take?") == []


def test_when_it_began_names_no_topic() -> None:
    assert topic_words("I fainted this morning") == ["fainted"]
    assert topic_words("I've been vomiting since last night") == ["vomiting"]
    assert topic_words("a cough at night") == ["cough", "night"]


@given(st.text(max_size=300))
def test_any_text_can_be_a_question(text: str) -> None:
    wanted = wanted_kinds(text)
    assert wanted
    assert set(wanted) <= set(KINDS)
    assert all(0 < weight <= 1 for weight in wanted.values())
