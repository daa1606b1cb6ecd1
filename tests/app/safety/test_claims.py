"""When a sign's words say that it is there, on a rulebook of a few words."""

from __future__ import annotations

import pytest

from app.safety.rules import Sign
from tests.app.safety.rulebooks import rule, small

FLAGS = small()


@pytest.mark.parametrize(
    "text",
    [
        "my chest hurts",
        "chest pain",
        "chest pain?",
        "Dad has pain in his chest",
        "No, my chest hurts",
        "no fever, severe chest pain",
        "no fever and my chest hurts",
        "no appetite for two days, chest pain",
        "no fever for days, chest pain",
        "no relief from the chest pain",
        "denies fever but has chest pain",
        "the chest pain from years ago is still there",
        "what is this pain in my chest?",
        "no tablets taken, chest pain",
        "no fever with this chest pain",
        "chest pain, free fluid on the scan",
        "writing a thriller. I have chest pain today",
        "they asked if my chest hurts, I said no but it does",
        "my chest hurts and I said no to the tablets",
    ],
)
def test_a_symptom_is_said(text: str) -> None:
    assert "chest_pain" in FLAGS.signs(text)


@pytest.mark.parametrize(
    "text",
    [
        "no chest pain",
        "no fever, cough or chest pain",
        "denies cough, fever, sweats, nausea, vomiting and severe chest pain",
        "my chest is not hurting",
        "chest without any pain",
        "no need for tablets, chest pain",
        "I had chest pain years ago",
        "chest pain in 2015",
        "I had chest pain at 17, I am 34 now",
        "what is chest pain?",
        "symptoms of chest pain",
        "What to do if someone has chest pain?",
        "in the movie his chest hurts",
        "my chest hurts from the gym",
        "chest pain free",
        "I do not have a fever, a rash or chest pain",
        "chest pain in 2015 and I am still on tablets",
        "chest pain years ago, none since",
        "writing a thriller. His chest hurts in the end",
        "the nurse asked if my chest hurts and I said no, never",
    ],
)
def test_a_symptom_is_not_said(text: str) -> None:
    assert "chest_pain" not in FLAGS.signs(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I think dad had a stroke", True),
        ("my dad is having a stroke", True),
        ("my dad had a stroke", False),
        ("history of stroke", False),
        ("stroke", False),
        ("can I get a stroke?", False),
        ("what is a stroke", False),
        ("a stroke of luck for my dad", False),
        ("I think they checked me for a stroke", True),
        ("they checked me for a stroke but I was fine", False),
        ("is it a stroke dad has?", True),
        ("is it true that my dad gets a stroke?", False),
    ],
)
def test_a_diseases_name_must_be_claimed(text: str, said: bool) -> None:
    assert ("stroke" in FLAGS.signs(text)) is said


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("stroke, fever", True),
        ("stroke", False),
        ("stroke, clinic review", False),
        ("history of gout, fever, gout, gout, gout, gout, gout, stroke", False),
        ("stroke, fever?", False),
        ("stroke? fever since noon", True),
        ("stroke 2014, fever", False),
        ("stroke at 2014, fever", True),
    ],
)
def test_a_clinicians_note_claims_without_a_verb(note: str, said: bool) -> None:
    assert ("stroke" in FLAGS.signs(note, "clinician")) is said
    assert "stroke" not in FLAGS.signs(note, "patient")


def test_a_lasting_state_has_no_past() -> None:
    assert "diabetes" in FLAGS.signs("history of being diabetic")
    assert "diabetes" not in FLAGS.signs("I am not diabetic")


def test_a_cue_inside_the_sign_is_a_part_of_it() -> None:
    flags = small(signs=(Sign("shown", ("showed me & movie",)),), rules=(rule("r", "shown"),))
    assert "shown" in flags.signs("he showed me a rude movie")
    assert "shown" not in flags.signs("in the movie he showed me another movie")
