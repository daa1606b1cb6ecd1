"""Options' likelihoods against the NumPy forward pass, and batched against one at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import BadInputError
from converter.branches import Branches
from converter.evaluate.batches import lay_out
from converter.evaluate.evaluation import Mode, Settings
from converter.evaluate.material import gather
from converter.evaluate.prompts import Prompts
from converter.evaluate.question import QuestionSet
from converter.evaluate.scoring import likelihoods
from converter.opened import OpenedModel
from tests.converter import checkpoints
from tests.converter.evaluate.asking import ask, questions, yes_no
from tests.converter.evaluate.conftest import Small, small_model
from tests.converter.oracle import llama as oracle

NORM = "model.norm.weight"


def scored(
    model: Small, asked: QuestionSet, settings: Settings, at_once: int = 99
) -> list[tuple[float, ...]]:
    """Likelihoods with F32 keys and values, so many questions in a batch."""
    found: list[tuple[float, ...]] = []
    with OpenedModel(model.file) as opened:
        prompts = Prompts(opened, gather(asked, settings), settings)
        layout = lay_out(prompts.after(0), 512, writes=False)
        with Branches(opened, cells=layout.cells, threads=1, exact=True) as branches:
            branches.hold(layout.head)
            for batch in layout.batches(prompts.after(0)):
                for start in range(0, len(batch), at_once):
                    part = batch[start : start + at_once]
                    found += likelihoods(branches, len(layout.head), part)
    return found


def expected(model: Small, asked: QuestionSet, settings: Settings) -> list[list[float]]:
    """The same by the oracle, a whole sequence for each option."""
    with OpenedModel(model.file) as opened:
        prompts = Prompts(opened, gather(asked, settings), settings)
        return [
            [_likelihood(model.folder, one.prompt, ending) for ending in one.endings]
            for one in prompts.after(0)
        ]


def _likelihood(folder: Path, prompt: list[int], ending: list[int]) -> float:
    logits = oracle.logits(folder, prompt + ending)[len(prompt) - 1 : -1]
    shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(sum(row[token] for row, token in zip(shares, ending, strict=True)))


@pytest.mark.parametrize("mode", ["letter", "text"])
@pytest.mark.parametrize("template", [True, False])
@pytest.mark.parametrize("asked", [questions(4), yes_no(3)], ids=["letters", "words"])
def test_likelihoods_are_the_oracles(
    small: Small, asked: QuestionSet, mode: Mode, template: bool
) -> None:
    settings = Settings(mode=mode, template=template)
    found = scored(small, asked, settings)
    for ours, theirs in zip(found, expected(small, asked, settings), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3, rtol=0)


@pytest.mark.parametrize("mode", ["letter", "text"])
def test_batched_equals_one_at_a_time(small: Small, mode: Mode) -> None:
    settings = Settings(mode=mode, template=False)
    together, alone = (scored(small, questions(9), settings, size) for size in (99, 1))
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)


def test_sums_lengths_and_both_ways_to_choose_come_from_one_run(small: Small) -> None:
    asked = questions(6)
    normalised = ask(small, asked, Settings(mode="text"))
    plain = ask(small, asked, Settings(mode="text", normalised=False))
    for question, one, other in zip(
        asked.questions, normalised.outcomes, plain.outcomes, strict=True
    ):
        assert one.lengths == tuple(len(option.encode()) for option in question.options)
        assert one.sums == other.sums == other.scores
        shares = [total / length for total, length in zip(one.sums, one.lengths, strict=True)]
        assert one.scores == tuple(shares)
        assert one.choice == int(np.argmax(shares))
        assert other.choice == int(np.argmax(one.sums))
    assert {one.choice for one in normalised.outcomes} != {0}


def test_letters_leave_sums_empty(small: Small) -> None:
    (one,) = ask(small, questions(1), Settings()).outcomes
    assert (one.sums, one.lengths, len(one.scores), one.options) == ((), (), 2, 2)


@pytest.mark.parametrize("mode", ["letter", "text", "write"])
def test_nan_logits_are_a_sentence(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = checkpoints.weights

    def broken(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        values = plain(name, shape)
        return np.multiply(values, 3e38, dtype=np.float32) if name == NORM else values

    monkeypatch.setattr(checkpoints, "weights", broken)
    model = small_model(tmp_path)
    with pytest.raises(BadInputError, match=r"question q0 \(NaN or infinite\)"):
        ask(model, questions(2), Settings(mode=mode))
