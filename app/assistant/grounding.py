"""What an answer leans on: passages before it, and what of it stands in them afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from app.assistant.events import Support
from app.engine.messages import Message
from app.knowledge.passage import Passage
from app.knowledge.prompt import passages_for_prompt
from app.knowledge.support import claims, uncited_doses, unsupported_sentences

MOST_PASSAGES = 3
_ATTEMPTS = 3
_CHARACTERS_PER_TOKEN = 3
"""Of English in a small vocabulary; the engine counts, this only bounds what it is asked to."""


class Reference(Protocol):
    """Where passages are found; `app.knowledge.Reference` is the one that ships."""

    def search(self, question: str, limit: int = MOST_PASSAGES) -> Sequence[Passage]: ...


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


def support(answer: str, passages: Sequence[Passage]) -> Support:
    """Which sentences of the answer are not in its passages."""
    return Support(
        len(claims(answer)),
        tuple(one.text for one in unsupported_sentences(answer, passages)),
        tuple(one.text for one in uncited_doses(answer, passages)),
    )
