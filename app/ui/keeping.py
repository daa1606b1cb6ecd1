"""Keeping a conversation that its person asked to keep, without ever holding the chat up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.conversation.turns import Turn
from app.errors import BedsideError
from app.ui.ports import ChatAssistant, TurnKeeper


class Keeping:
    """Writes the turns of one conversation as they end.

    Args:
        assistant: Whose conversation it is.
        open_keeper: Begins a file under a passphrase; None where nothing can be kept.
        tell: Gets a sentence for the person; with True it is a problem.
    """

    def __init__(
        self,
        assistant: ChatAssistant,
        open_keeper: Callable[[str], TurnKeeper] | None,
        tell: Callable[[str, bool], None],
    ) -> None:
        self._assistant = assistant
        self._open = open_keeper
        self._tell = tell
        self._keeper: TurnKeeper | None = None
        self._failing = False
        self._writing = asyncio.Lock()

    @property
    def possible(self) -> bool:
        """Whether it can be begun."""
        return self._open is not None and self._keeper is None

    async def begin(self, passphrase: str) -> None:
        """Keep this conversation from its first turn on. Making the key takes about a second."""
        if self._open is None or self._keeper is not None:
            return
        try:
            self._keeper = await asyncio.to_thread(self._open, passphrase)
        except BedsideError as error:
            self._tell(str(error), True)
            return
        self._tell("This conversation is kept, encrypted, from its first question on.", False)
        await self.update()

    async def update(self) -> None:
        """Write what has ended since. A full disk is said once; each turn tries again."""
        async with self._writing:
            if self._keeper is None:
                return
            try:
                await asyncio.to_thread(self._keeper.keep, self._ended)
            except BedsideError as error:
                if not self._failing:
                    self._tell(str(error), True)
                self._failing = True
            else:
                if self._failing:
                    self._tell("The conversation could be kept again, whole.", False)
                self._failing = False

    async def finish(self) -> None:
        """Write the rest and let go of the file; the next conversation is not kept unasked.

        Raises:
            BedsideError: the rest is not kept, and nobody has been told before.
        """
        async with self._writing:
            keeper, self._keeper = self._keeper, None
            told, self._failing = self._failing, False
            if keeper is None:
                return
            try:
                await asyncio.to_thread(keeper.keep, self._ended)
            except BedsideError:
                if not told:
                    raise
            finally:
                keeper.close()

    @property
    def _ended(self) -> list[Turn]:
        """The turns with something to keep; a question alone is not one yet."""
        return [turn for turn in self._assistant.conversation.turns if turn.ended]
