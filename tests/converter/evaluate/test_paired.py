"""Two models on the same questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.errors import UsageError
from converter.evaluate.evaluation import Settings
from converter.evaluate.paired import pair, pairs, unpaired
from tests.converter.evaluate.evaluations import evaluation, outcomes

TRUTHS = [0] * 10
FIRST = evaluation(outcomes(TRUTHS, [0] * 8 + [1, 1]), model="first.gguf")
SECOND = evaluation(
    outcomes(TRUTHS, [1, 1, 1, 1, 1, 1, 1, 0, 0, None]), model="second.gguf", sha256="b" * 64
)


def test_only_questions_that_one_alone_has_right_count() -> None:
    found = pair(FIRST, SECOND)
    assert (found.questions, found.only_first, found.only_second) == (10, 7, 1)
    assert found.p_value == pytest.approx(2 * (1 + 8) / 2**8)
    assert found.sentence == (
        "quiz: first.gguf alone is right in 7 of 10, second.gguf alone in 1 (McNemar's exact "
        "test, p = 0.0703): these questions do not tell them apart."
    )


def test_the_better_one_is_named_whichever_comes_first() -> None:
    best = evaluation(outcomes(TRUTHS, TRUTHS), model="best.gguf")
    for found in (pair(best, SECOND), pair(SECOND, best)):
        assert found.p_value == pytest.approx(2 / 2**8)
        assert found.sentence.endswith("best.gguf is better than second.gguf.")


def test_one_model_asked_in_two_ways_has_two_names() -> None:
    written = replace(FIRST, settings=Settings(mode="write"))
    found = pair(FIRST, written)
    assert "by letter" in found.first
    assert "in writing" in found.second
    assert found.p_value == 1
    same_name = pair(FIRST, replace(SECOND, model=FIRST.model))
    assert (same_name.first, same_name.second) == ("first.gguf (aaaaaaaa)", "first.gguf (bbbbbbbb)")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"passages": "none"}, "passages as published"),
        ({"context": 64}, "context 0"),
        ({"system": "Be brief."}, "passages as published, system '')"),
    ],
)
def test_two_ways_are_told_apart_to_their_last_word(settings: dict[str, Any], told: str) -> None:
    mode = Settings(mode="text", template=False)
    first = replace(FIRST, model="m" * 90, settings=mode)
    found = pair(first, replace(first, settings=replace(mode, **settings)))
    assert found.first != found.second
    assert told in found.first
    assert found.first in found.sentence
    assert found.second in found.sentence


OTHERS = {
    "fewer": replace(SECOND, outcomes=SECOND.outcomes[:-1]),
    "another file": replace(SECOND, data_sha256="e" * 64),
    "another order": replace(SECOND, outcomes=SECOND.outcomes[::-1]),
    "another truth": replace(
        SECOND, outcomes=(replace(SECOND.outcomes[0], truth=1), *SECOND.outcomes[1:])
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_questions_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="were not asked the same questions"):
        pair(FIRST, OTHERS[name])
    assert pairs([FIRST, OTHERS[name]]) == ()


def test_all_pairs_of_one_set_are_tested_and_sets_are_kept_apart() -> None:
    other_set = replace(SECOND, task="other", data_sha256="e" * 64)
    assert len(pairs([FIRST, SECOND, other_set, replace(FIRST, model="third.gguf")])) == 3
    assert list(unpaired([FIRST, SECOND, other_set])) == []
    (told,) = unpaired([FIRST, OTHERS["fewer"]])
    assert told.startswith("first.gguf on quiz and second.gguf on quiz were not asked the same")
