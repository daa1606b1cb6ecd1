"""Room in the context for the next answer."""

from __future__ import annotations

from app.assistant.events import Failed
from app.assistant.notices import SYSTEM_PROMPT, too_long
from app.conversation.budget import Budget, fit
from app.conversation.turns import Conversation
from app.engine.ports import Engine
from app.errors import EngineError

_MOST_CHARACTERS_PER_TOKEN = 16
"""A question with more characters than this times the context cannot fit, and is not tokenised."""


def far_too_long(question: str, context: int) -> Failed | None:
    """Failed where so many characters cannot fit; they are not even counted."""
    if len(question) <= context * _MOST_CHARACTERS_PER_TOKEN:
        return None
    return Failed("context", too_long(context))


async def make_room(conversation: Conversation, engine: Engine, context: int) -> Failed | None:
    """Let old turns leave where the context is full. Failed where the question is too long."""

    async def count(forgotten: int) -> int:
        return await engine.count(conversation.messages(SYSTEM_PROMPT, forgotten))

    turns, forgotten = len(conversation.turns), conversation.forgotten
    try:
        fitting = await fit(count, turns, forgotten, Budget(context))
    except EngineError as error:
        return Failed("internal", str(error))
    if fitting is None:
        return Failed("context", too_long(context))
    conversation.forget_through(fitting.forgotten)
    return None
