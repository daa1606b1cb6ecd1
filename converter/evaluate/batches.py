"""Questions gathered into batches that fit the model's cache, the same ones in every run.

That they are the same matters: llama.cpp rounds what goes into a quantised product to eight bits,
so the last bits of a sum, which depend on what else is in the batch, can tip that rounding. On
medquad-29m an option's text of about 40 nats differs by some 0.1 between batches at Q4_K_M, and by
0.00001 at F32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.engine.prompt import common_length
from converter.branches import MOST_LANES
from converter.evaluate.prompts import Asked

_SCORED = 256
"""Tokens in a batch of scored questions. More are slower, since every token looks at all cells of
the cache, also at those of other questions: on medquad-29m 512 take a quarter longer on MedMCQA."""
_WRITTEN = 1536
"""Tokens in a batch of questions whose answers are written, which gain by being many."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the questions of a run go through the model."""

    head: list[int]
    """Tokens that every prompt begins with; each prompt has at least one more."""
    questions: int
    context: int
    """Tokens that a question has room in."""
    budget: int
    """Tokens of a batch, the head not counted."""

    @property
    def cells(self) -> int:
        """Tokens that are in the cache at once."""
        return len(self.head) + self.budget

    def fits(self, asked: Asked) -> bool:
        """Whether a question and what follows it fit the context."""
        return asked.length <= self.context

    def batches(self, questions: Iterable[Asked]) -> Iterator[list[Asked]]:
        """The questions in their order; those that do not fit take part and need no room."""
        batch: list[Asked] = []
        cells = lanes = 0
        for asked in questions:
            more = asked.cells - len(self.head) if self.fits(asked) else 0
            if batch and (cells + more > self.budget or lanes + asked.lanes > MOST_LANES):
                yield batch
                batch, cells, lanes = [], 0, 0
            batch.append(asked)
            cells, lanes = cells + more, lanes + asked.lanes
        if batch:
            yield batch


def lay_out(questions: Iterable[Asked], context: int, *, writes: bool) -> Layout:
    """Look at every question once."""
    head: list[int] | None = None
    count = most = 0
    for asked in questions:
        count += 1
        if asked.length > context:
            continue
        head = asked.prompt[:-1] if head is None else head
        head = head[: min(common_length(head, asked.prompt), len(asked.prompt) - 1)]
        most = max(most, asked.cells)
    head = head or []
    budget = max(_WRITTEN if writes else _SCORED, most - len(head))
    return Layout(head, count, context, budget)
