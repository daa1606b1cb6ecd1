"""The pairs by which follow-ups are measured.

Each line of `data/follow_ups.jsonl` and `data/new_topics.jsonl` holds what was asked before, a
question, and how the title begins that must be found first. In the one file the question goes on
with what was said, in the other it turns to something of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.knowledge.passage import Passage

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Threaded:
    """A question in a conversation."""

    before: tuple[str, ...]
    question: str
    topic: str
    """How the title of the entry begins that must be first."""

    def is_answered_by(self, found: Sequence[Passage]) -> bool:
        """Whether the first passage is of the topic."""
        return bool(found) and found[0].title.startswith(self.topic)


def read(name: str) -> list[Threaded]:
    """The pairs of one file, in its order."""
    lines = _DATA.joinpath(f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = map(json.loads, lines)
    return [Threaded(tuple(row["before"]), row["question"], row["topic"]) for row in rows]
