"""What an answer leans on: passages before it, and what of it stands in them afterwards.

The rooms that this needs are imported when they are first used, in the thread that opens the
reference: a screen must paint before, and they take the better part of a tenth of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Protocol

from app.assistant.events import Support
from app.engine.messages import Message
from app.knowledge.passage import Passage

MOST_PASSAGES = 3
_ATTEMPTS = 3
_CHARACTERS_PER_TOKEN = 3
"""Of English in a small vocabulary; the engine counts, this only bounds what it is asked to."""


class Reference(Protocol):
    """Where passages are found; `app.knowledge.Reference` is the one that ships."""

    def prepare(self) -> None:
        """Do what the first search would have to wait for. Raises as `search` does."""

    def search(
        self, question: str, limit: int = MOST_PASSAGES, *, earlier: Sequence[str] = ()
    ) -> Sequence[Passage]:
        """The passages that fit a question best, in the light of those before it. Raises
        BedsideError."""


class Lookup:
    """The reference as a conversation uses it. Only one may use it at a time."""

    def __init__(self, load: Callable[[], Reference]) -> None:
        """`load` makes the reference, once, in a thread."""
        self._load = load

    @cached_property
    def _reference(self) -> Reference:
        return self._load()

    def prepare(self) -> None:
        """Open the reference, and load what judges the answers. Raises BedsideError."""
        import app.knowledge.prompt
        import app.knowledge.support  # noqa: F401

        self._reference.prepare()

    async def passages(
        self,
        question: str,
        earlier: Sequence[str],
        context: int,
        count: Callable[[Sequence[Message]], Awaitable[int]],
    ) -> tuple[Sequence[Passage], str] | None:
        """What the question leans on, and how the model gets both; None where nothing fits.

        The search runs in a thread: keys are read meanwhile. Raises BedsideError.
        """
        found = await asyncio.to_thread(lambda: self._reference.search(question, earlier=earlier))
        return await with_passages(question, found, context, count) if found else None


async def with_passages(
    question: str,
    passages: Sequence[Passage],
    context: int,
    count: Callable[[Sequence[Message]], Awaitable[int]],
) -> tuple[Sequence[Passage], str]:
    """The question as the model gets it, with passages in at most a third of the context.

    Characters are asked for and tokens are what counts, so the first guess is corrected where the
    vocabulary spells the words out. Where nothing fits, the model gets the bare question, and the
    passages are for the reader alone. Raises EngineError.
    """
    from app.knowledge.prompt import passages_for_prompt

    most = context // 3
    bare = await count([Message("user", question)])
    budget = most * _CHARACTERS_PER_TOKEN
    for _attempt in range(_ATTEMPTS):
        text, used = passages_for_prompt(passages, question, budget)
        taken = await count([Message("user", text)]) - bare
        if taken <= most:
            return passages[:used] or passages, text
        budget = int(budget * 0.9 * most / taken)
    return passages, question


def judged(answer: str, passages: Sequence[Passage]) -> Support:
    """Which sentences of the answer are not in its passages."""
    from app.knowledge.support import claims, uncited_doses, unsupported_sentences

    return Support(
        len(claims(answer)),
        tuple(one.text for one in unsupported_sentences(answer, passages)),
        tuple(one.text for one in uncited_doses(answer, passages)),
    )
