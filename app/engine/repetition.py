"""Small models fall into loops: the same few words, or the same list entry, for ever."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST_PERIOD = 80
"""Tokens. A repeated list entry or sentence is seldom longer."""
_SHORTEST_RUN = 32
"""Tokens that must repeat, so that `-----` or `1, 1, 1` is no loop yet."""
_ROUNDS = 3


def loops(tokens: Sequence[int]) -> bool:
    """Whether the answer's end is one stretch of tokens, `_ROUNDS` times or more in a row."""
    last = len(tokens) - 1
    for period in range(1, min(_LONGEST_PERIOD, len(tokens) // _ROUNDS) + 1):
        if tokens[last] != tokens[last - period]:
            continue
        run = max(_SHORTEST_RUN, _ROUNDS * period)
        if run <= len(tokens) and _has_period(tokens, period, run):
            return True
    return False


def _has_period(tokens: Sequence[int], period: int, run: int) -> bool:
    start = len(tokens) - run
    return all(
        tokens[place] == tokens[place - period] for place in range(start + period, len(tokens))
    )
