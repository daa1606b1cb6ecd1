"""A loop is known soon; what a person would write is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.repetition import loops

SPEECH = st.lists(st.integers(0, 8000), max_size=60, unique=True)


@given(SPEECH, st.lists(st.integers(0, 8000), min_size=1, max_size=80))
def test_every_loop_is_found_within_its_rounds(before: list[int], unit: list[int]) -> None:
    rounds = -(-max(32, 3 * len(unit)) // len(unit))
    assert loops(before + unit * rounds)


@given(SPEECH)
def test_text_without_repeats_is_no_loop(tokens: list[int]) -> None:
    assert not loops(tokens)


@given(st.lists(st.integers(0, 3), max_size=120))
def test_it_says_what_a_slow_search_says(tokens: list[int]) -> None:
    def periodic(period: int, run: int) -> bool:
        end = tokens[-run:]
        return len(end) == run and all(a == b for a, b in zip(end, end[period:], strict=False))

    assert loops(tokens) == any(periodic(p, max(32, 3 * p)) for p in range(1, 81))


@pytest.mark.parametrize("line", [[5] * 31, [5, 6] * 15, [1, 2, 3] * 10])
def test_a_ruled_line_or_a_short_list_is_no_loop(line: list[int]) -> None:
    assert not loops([*range(100, 140), *line])


def test_it_is_cheap_at_the_longest_answer() -> None:
    tokens = list(range(4096))
    for _ in range(2000):
        assert not loops(tokens)
