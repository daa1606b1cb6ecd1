"""Weights of words, added up; and the weights that ship."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.assistant.rulebook import WEIGHTS
from app.safety import Level
from app.safety.rules import Weighed
from app.safety.weighing import FEW, Weights, by_sentence, features, parse
from app.safety.words import split
from tests.app.safety.fit import fit, read
from tests.app.safety.rulebooks import rule, rules_alone, shipped, small

OWN = Weights(("call",), (-1.0,), {"sky": (8.0,), "fall sky": (4.0,), "fall _ sky": (2.0,)})


def test_stems_neighbours_and_pairs_around_a_word_are_weighed() -> None:
    (sentence,) = by_sentence(split("The skies fell 40 times"))
    assert features(sentence) == {
        *("the", "sky", "fell", "#", "time"),
        *("the sky", "sky fell", "fell #", "# time"),
        *("the _ fell", "sky _ #", "fell _ time"),
    }


def test_the_sum_is_scaled_by_how_much_is_known() -> None:
    """Two features are known, which count as the sixteen that a text should have."""
    assert OWN.weigh(split("Falling sky!"))["call"] == pytest.approx(-1 + 12 / math.sqrt(FEW))
    assert OWN.weigh(split("Nothing of it"))["call"] == -1
    many = Weights(("call",), (0.0,), dict.fromkeys(map(chr, range(97, 123)), (1.0,)))
    assert many.weigh(split(" ".join(map(chr, range(97, 123)))))["call"] == pytest.approx(
        26 / math.sqrt(26)
    )


def test_two_neighbouring_sentences_are_not_thinned_out_by_the_rest() -> None:
    weights = Weights(("call",), (0.0,), {"sky": (9.0,), **{f"w{n}": (-1.0,) for n in range(40)}})
    rest = " ".join(f"w{n}." for n in range(40))
    whole = weights.weigh(split(f"The sky. And on. {rest}"))["call"]
    assert whole == pytest.approx(9 / math.sqrt(FEW))


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_every_text_has_its_odds(text: str) -> None:
    odds = shipped().book.weights.weigh(split(text))
    assert set(odds) == {"call", "crisis"} and all(map(math.isfinite, odds.values()))


@pytest.mark.parametrize(
    "text", ["", "feature\tcall\n", "feature\tcall\n\t-1\tx\n", "feature\tcall\n\tone\nsky\t1\n"]
)
def test_what_are_no_weights_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_what_is_weighed_is_a_sign_of_patients_in_english() -> None:
    flags = small(
        rules=(rule("falling", "heavy", level=Level.CALL),),
        weighed=(Weighed("heavy", "call", 0.5),),
        weights=OWN,
    )
    assert flags.read("my sky is falling sky").signs == {"heavy"}
    assert flags.check(["my sky is falling sky"]) is not None
    assert flags.check(["my sky is falling sky"], "clinician") is None
    assert flags.signs("my sky is falling sky") == frozenset(), "phrases and numbers alone"
    assert flags.read("der sky ist falling sky und das Wetter").signs == frozenset()


def test_weights_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="no weights for “today”"):
        small(weighed=(Weighed("heavy", "today", 0.5),), weights=OWN)


def test_a_crisis_in_words_that_no_rule_knows_is_heard() -> None:
    """One of those that the rules alone are known to miss."""
    text = "i woke up. wasnt meant to. gutted"
    assert rules_alone().check([text]) is None
    alert = shipped().check([text])
    assert alert is not None and alert.level is Level.CRISIS


def test_the_weights_are_what_the_tables_give() -> None:
    """Fitted anew they come out the same, but for the last digits of another machine's sums."""
    ours = parse(WEIGHTS.read_text(encoding="utf-8"))
    fitted = fit([one for rows in read().values() for one in rows])
    assert fitted.levels == ours.levels
    assert fitted.bias == pytest.approx(ours.bias, abs=0.1)
    everything = set(fitted.of) | set(ours.of)
    none = (0.0,) * len(ours.levels)
    pairs = [(fitted.of.get(one, none), ours.of.get(one, none)) for one in everything]
    apart = [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in pairs]
    assert max(apart) < 0.25 and sum(apart) / len(apart) < 0.02, "python -m tests.app.safety.fit"
