"""What leaves when the context is full: whole turns, the oldest, in one step that lasts."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.conversation.budget import Budget, Fit, fit

CONTEXTS = st.integers(512, 8192)
SIZES = st.lists(st.integers(1, 2000), min_size=1, max_size=30)


def fitted(sizes: list[int], forgotten: int, context: int, system: int = 0) -> Fit | None:
    """The fit of a conversation whose turns are so large; the last one is the question."""

    async def count(leaving: int) -> int:
        return system + sum(sizes[leaving:])

    return asyncio.run(fit(count, len(sizes), forgotten, Budget(context)))


@given(SIZES, CONTEXTS, st.integers(0, 300), st.data())
def test_a_fit_fits_and_keeps_the_question(
    sizes: list[int], context: int, system: int, data: st.DataObject
) -> None:
    forgotten = data.draw(st.integers(0, len(sizes) - 1))
    found = fitted(sizes, forgotten, context, system)
    if found is None:
        assert system + sizes[-1] > context - context // 4, "only the question alone is refused"
        return
    assert forgotten <= found.forgotten <= len(sizes) - 1, "nothing comes back; the question stays"
    assert found.tokens == system + sum(sizes[found.forgotten :])
    assert found.tokens <= context - context // 4, "a quarter is left for the answer"


@given(SIZES, CONTEXTS)
def test_what_fits_is_left_alone_and_what_leaves_is_needed(sizes: list[int], context: int) -> None:
    found = fitted(sizes, 0, context)
    room, half = context - context // 4, context // 2
    if sum(sizes) <= room:
        assert found == Fit(0, sum(sizes))
    elif found is not None:
        assert found.tokens <= half or found.forgotten == len(sizes) - 1
        assert sum(sizes[found.forgotten - 1 :]) > half, "one turn fewer would not have done"


@given(st.integers(8, 200))
def test_after_a_step_there_is_peace_for_a_while(size: int) -> None:
    """Each step makes the model read all that stays; so it must not come with every turn."""
    context, forgotten, steps = 1024, 0, []
    for asked in range(1, 3 * 1024 // size):
        found = fitted([size] * asked, forgotten, context)
        assert found is not None
        if found.forgotten > forgotten:
            steps.append(asked)
        forgotten = found.forgotten
    gaps = [after - before for before, after in pairwise(steps)]
    assert all(gap >= 0.2 * context / size for gap in gaps)


def test_a_question_that_cannot_fit_is_refused() -> None:
    assert fitted([385], 0, 512) is None
    assert fitted([384], 0, 512) == Fit(0, 384)
    assert fitted([100, 384], 0, 512) == Fit(1, 384)
    assert fitted([100, 385], 0, 512) is None
