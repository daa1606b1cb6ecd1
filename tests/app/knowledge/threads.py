"""The pairs by which follow-ups are measured.

Each line of `data/follow_ups.jsonl` and `data/new_topics.jsonl` holds what was asked before, a
question, and how the title begins that must be found first. In the one file the question goes on
with what was said, in the other it turns to something of its own. All are by one hand, who knew
the cards and the way of finding; no stranger has written any.

`round` tells what was known of a pair while the way of finding was mended: 0 was looked at from
the start, 1 was held out of the first mending, 2 was written after that and held out of the second,
3 was held out of the third. Each was looked at once it had been run. How many were right:

    follow-ups   pairs  before mending  first run held out
    round 0         40              31                   -
    round 1         40              25                  29
    round 2         40              20                  29
    round 3         24              16                  20
    new topics
    round 0         21              14                   -
    round 1         21              18                  20
    round 2         16              12                  14
    round 3         12              11                  10

`weak` says why a pair still goes wrong.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.knowledge.passage import Passage

FILES = ("follow_ups", "new_topics")

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Threaded:
    """A question in a conversation."""

    round: int
    before: tuple[str, ...]
    question: str
    topic: str
    """How the title of the entry begins that must be first."""
    weak: str = ""

    def is_answered_by(self, found: Sequence[Passage]) -> bool:
        """Whether the first passage is of the topic."""
        return bool(found) and found[0].title.startswith(self.topic)


def read(name: str) -> list[Threaded]:
    """The pairs of one file, in its order."""
    lines = _DATA.joinpath(f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = map(json.loads, lines)
    return [Threaded(**{**row, "before": tuple(row["before"])}) for row in rows]
