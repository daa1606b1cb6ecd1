"""Between a question that was heard and its answer: passages for it, and room in the context."""

from __future__ import annotations

from app.assistant.events import Failed, Notice, Passages, TurnEvent
from app.assistant.grounding import Lookup
from app.assistant.notices import forgetting, without_reference
from app.assistant.room import far_too_long, make_room
from app.conversation.turns import Conversation
from app.engine.ports import Engine
from app.errors import BedsideError


class LeadIn:
    """Looks the last question up and makes room for its answer."""

    def __init__(self, conversation: Conversation, engine: Engine, lookup: Lookup | None) -> None:
        """`lookup` is None where there is no reference."""
        self._conversation, self._engine, self._lookup = conversation, engine, lookup

    async def prepare(self, context: int) -> Failed | list[TurnEvent]:
        """Bring the last question to where it can be answered.

        Args:
            context: how many tokens the model reads at most.

        Returns:
            Failed where it cannot be answered, else what is told before the answer.
        """
        before = self._conversation.forgotten
        refused = far_too_long(self._conversation.last.question, context)
        if refused is not None:
            return refused
        trouble = await self._lean(context)
        refused = await make_room(self._conversation, self._engine, context)
        if refused is not None:
            return refused
        told: list[TurnEvent] = [] if trouble is None else [trouble]
        if self._lookup is not None:
            told.append(Passages(self._conversation.last.passages))
        if self._conversation.forgotten > before:
            told.append(Notice(forgetting(self._conversation.forgotten - before)))
        return told

    async def _lean(self, context: int) -> Notice | None:
        """Look the question up, once, and keep it as the model will get it."""
        turn = self._conversation.last
        if self._lookup is None or turn.sent:
            return None
        earlier = [one.question for one in self._conversation.turns[:-1]]
        try:
            leaning = await self._lookup.passages(
                turn.question, earlier, context, self._engine.count
            )
        except BedsideError as error:
            return Notice(without_reference(error))
        if leaning is not None:
            self._conversation.lean_on(*leaning)
        return None
