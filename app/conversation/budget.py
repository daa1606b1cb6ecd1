"""How much of the context the conversation may fill, and what leaves when it is full.

The answer keeps at least a quarter of the context. When the rest is full, whole turns leave from
the old end until half of the context is free: one large step, because each step makes the model
read everything that stays once more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens, out of a context."""

    context: int

    @property
    def prompt(self) -> int:
        """What a prompt may take at most."""
        return self.context - self.context // 4

    @property
    def after_forgetting(self) -> int:
        """What a prompt takes at most once old turns have left."""
        return self.context // 2


@dataclass(frozen=True, slots=True)
class Fit:
    """How a conversation is made to fit."""

    forgotten: int
    """How many of the oldest turns the model will not see."""
    tokens: int
    """Of the prompt then."""


async def fit(
    count: Callable[[int], Awaitable[int]], turns: int, forgotten: int, budget: Budget
) -> Fit | None:
    """Find how many turns must leave.

    Args:
        count: tokens of the prompt without the first n turns.
        turns: how many there are, with the one that is asked.
        forgotten: how many have left before.
        budget: what the prompt may take.

    Returns:
        None where the last question alone does not fit.
    """
    tokens = await count(forgotten)
    if tokens <= budget.prompt:
        return Fit(forgotten, tokens)
    for leaving in range(forgotten + 1, turns):
        tokens = await count(leaving)
        if tokens <= budget.after_forgetting or (leaving == turns - 1 and tokens <= budget.prompt):
            return Fit(leaving, tokens)
    return None
