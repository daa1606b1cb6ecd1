"""Batches: in order, within the cache, and the same from any boundary on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from converter.branches import MOST_LANES
from converter.evaluate.batches import lay_out
from converter.evaluate.prompts import Asked
from converter.evaluate.question import Question

CONTEXT = 300
SOME = Question("q", "Which?", ("a", "b"), 0)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A prompt that begins like the others, and short endings or room to write."""
    prompt = [1, 2, 3] + [9] * draw(st.integers(0, 320))
    endings = draw(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=40), max_size=26))
    room = max(map(len, endings)) if endings else draw(st.integers(1, 50))
    return Asked(SOME, prompt, endings, False, room)


@given(st.lists(asked(), max_size=40), st.booleans())
def test_plans(questions: list[Asked], writes: bool) -> None:
    layout = lay_out(questions, CONTEXT, writes=writes)
    batches = list(layout.batches(questions))
    assert [one for batch in batches for one in batch] == questions
    assert layout.questions == len(questions)
    for one in questions:
        assert layout.fits(one) == (len(one.prompt) + one.room <= CONTEXT)
    for batch in batches:
        fitting = [one for one in batch if layout.fits(one)]
        for one in fitting:
            assert one.prompt[: len(layout.head)] == layout.head
            assert len(layout.head) < len(one.prompt)
        cells = sum(one.cells - len(layout.head) for one in fitting)
        assert len(layout.head) + cells <= layout.cells
        assert sum(one.lanes for one in batch) <= MOST_LANES
    done = 0
    for number, batch in enumerate(batches):
        assert list(layout.batches(questions[done:])) == batches[number:]
        done += len(batch)


def test_the_head_is_what_all_prompts_that_fit_begin_with() -> None:
    prompts = ([5, 6, 7, 8], [5, 6, 7], [5, 6, 9], [4] * 400)
    layout = lay_out(
        [Asked(SOME, prompt, [[1]], False, 1) for prompt in prompts], CONTEXT, writes=False
    )
    assert layout.head == [5, 6]
    alone = lay_out([Asked(SOME, [5, 6, 7], [[1]], False, 1)], CONTEXT, writes=False)
    assert alone.head == [5, 6], "the last token's logits are needed"
    assert lay_out([Asked(SOME, [5] * 400, [[1]], False, 1)], CONTEXT, writes=False).head == []


def test_no_endings_last_token_takes_a_cell() -> None:
    assert Asked(SOME, [1] * 10, [[1], [1, 2, 3]], False, 3).cells == 12
    assert Asked(SOME, [1] * 10, [], False, 20).cells == 30
