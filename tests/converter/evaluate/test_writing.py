"""Written answers against greedy decoding one token at a time, a whole sequence each."""

from __future__ import annotations

import numpy as np
import pytest

from converter.branches import Branches
from converter.evaluate import writing
from converter.evaluate.batches import lay_out
from converter.evaluate.evaluation import Settings
from converter.evaluate.material import gather
from converter.evaluate.prompts import Prompts
from converter.opened import OpenedModel
from tests.converter.evaluate.asking import ask, questions, yes_no
from tests.converter.evaluate.conftest import Small
from tests.converter.oracle import llama as oracle

SETTINGS = Settings(mode="write", template=False, write_tokens=6)


class _Ending(OpenedModel):
    """A model that says with tokens of our choice that it has finished."""

    last: frozenset[int] = frozenset()

    def ends(self, token: int) -> bool:
        return token in self.last


def written(model: Small, ends: frozenset[int]) -> tuple[list[list[int]], list[list[int]]]:
    """What is written to three questions side by side, and what the oracle writes to each."""
    with _Ending(model.file) as opened:
        opened.last = ends
        prompts = Prompts(opened, gather(questions(3), SETTINGS), SETTINGS)
        asked = list(prompts.after(0))
        layout = lay_out(asked, 512, writes=True)
        with Branches(opened, cells=layout.cells, threads=1, exact=True) as branches:
            branches.hold(layout.head)
            found = writing.generate(opened, branches, len(layout.head), asked)
    expected = []
    for one in asked:
        tokens: list[int] = []
        while len(tokens) < 6:
            token = int(np.argmax(oracle.logits(model.folder, one.prompt + tokens)[-1]))
            if token in ends:
                break
            tokens.append(token)
        expected.append(tokens)
    return found, expected


def test_the_likeliest_token_each_time_until_the_end(small: Small) -> None:
    found, expected = written(small, frozenset())
    assert found == expected
    assert {len(tokens) for tokens in found} == {6}
    found, expected = written(small, frozenset({expected[0][0]}))
    assert found == expected
    assert found[0] == []


@pytest.mark.parametrize("asked", [questions(3), yes_no(3)], ids=["letters", "words"])
def test_what_was_written_is_read_by_the_rule(small: Small, asked: object) -> None:
    evaluation = ask(small, asked, SETTINGS)  # type: ignore[arg-type]
    for one in evaluation.outcomes:
        assert one.choice is None, "random words name no option"
        assert (one.fits, one.scores) == (True, ())


def test_a_readable_answer_counts(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenedModel, "piece", lambda self, token, special=False: b"B. ")
    outcomes = ask(small, questions(3), SETTINGS).outcomes
    assert [one.choice for one in outcomes] == [1, 1, 1]
    assert [one.correct for one in outcomes] == [False, True, False]
