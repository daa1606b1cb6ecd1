"""Lanes with a common beginning against whole sequences run alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import EngineError
from converter.branches import MOST_LANES, Branches, Step
from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.filetype import FileType
from converter.opened import OpenedModel
from converter.runner import Runner

Tokens = list[int]


@pytest.fixture(scope="module")
def file(recipe_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("branches") / "model.gguf"
    write(lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.F32), path, threads=1)
    return path


@pytest.fixture(scope="module")
def branches(file: Path) -> Iterator[Branches]:
    with OpenedModel(file) as model, Branches(model, cells=256, threads=1, exact=True) as made:
        yield made


@pytest.fixture(scope="module")
def runner(file: Path) -> Iterator[Runner]:
    with Runner(file, length=64, threads=1, exact=True) as made:
        yield made


def tokens(least: int, most: int) -> st.SearchStrategy[Tokens]:
    return st.lists(st.integers(3, 319), min_size=least, max_size=most)


@settings(deadline=None, max_examples=25)
@given(head=tokens(0, 9), stem=tokens(1, 9), tails=st.lists(tokens(1, 6), min_size=1, max_size=5))
def test_every_lane_sees_its_own_sequence_alone(
    branches: Branches, runner: Runner, head: Tokens, stem: Tokens, tails: list[Tokens]
) -> None:
    lanes = range(1, 1 + len(tails))
    branches.hold(head)
    for _ in range(2):  # what an earlier batch left behind is not seen
        branches.start(len(tails))
        steps = [Step(token, place, lanes, False) for place, token in enumerate(stem, len(head))]
        for lane, tail in zip(lanes, tails, strict=True):
            begun = len(head) + len(stem)
            steps += [Step(token, place, (lane,), True) for place, token in enumerate(tail, begun)]
        found = branches.run(steps).copy()
    for tail in tails:
        runner.run(head + stem + tail)
        rows, found = found[: len(tail)], found[len(tail) :]
        np.testing.assert_allclose(rows, runner.logits()[-len(tail) :], atol=1e-4)


def test_lanes_go_on_from_run_to_run(branches: Branches, runner: Runner) -> None:
    branches.hold([5, 6])
    branches.start(MOST_LANES)
    for place, token in enumerate((7, 8, 9), 2):
        found = branches.run([Step(token, place, (MOST_LANES,), True)])
    runner.run([5, 6, 7, 8, 9])
    np.testing.assert_allclose(found[0], runner.logits()[-1], atol=1e-4)


def test_a_sequence_with_a_hole_is_refused_by_the_engine(branches: Branches) -> None:
    branches.hold([5, 6])
    branches.start(1)
    with pytest.raises(EngineError, match="could not evaluate the questions"):
        branches.run([Step(7, 9, (1,), True)])
