"""Keeping a conversation that its person asked to keep, without ever holding the chat up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.conversation.turns import Turn
from app.errors import BedsideError
from app.ui.ports import ChatAssistant, TurnKeeper


class Keeping:
    """Writes the turns of one conversation as they end.

    A thread that makes a key or writes cannot be stopped. Whoever asked for it may go away (a
    screen takes its workers with it), so opening and writing are tasks of their own, and `finish`
    waits for them.

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
        self._opening: asyncio.Task[TurnKeeper] | None = None
        """Makes the file, or has made it; None where this conversation is not kept."""
        self._failing = False
        self._one_writes = asyncio.Lock()
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def possible(self) -> bool:
        """Whether it can be begun."""
        return self._open is not None and self._opening is None

    async def begin(self, passphrase: str) -> None:
        """Keep this conversation from its first turn on. Making the key takes about a second."""
        if self._open is None or self._opening is not None:
            return
        self._opening = asyncio.create_task(asyncio.to_thread(self._open, passphrase))
        try:
            await asyncio.shield(self._opening)
        except BedsideError as error:
            self._opening = None
            self._tell(str(error), True)
            return
        self._tell("This conversation is kept, encrypted, from its first question on.", False)
        await self.update()

    async def update(self) -> None:
        """Write what has ended since. A full disk is said once; each turn tries again."""
        try:
            await self._write()
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

        A file that is still being made is waited for: its person asked to keep what they said.

        Raises:
            BedsideError: the rest is not kept, and nobody has been told before.
        """
        if self._opening is None:
            return
        await asyncio.shield(self._opening)
        try:
            await self._write(last=True)
        except BedsideError:
            if not self._failing:
                raise
        finally:
            self._failing = False

    async def _write(self, *, last: bool = False) -> None:
        """Bring the file up to date, and with `last` close it. Raises BedsideError."""
        task = asyncio.create_task(self._write_alone(last))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.shield(task)

    async def _write_alone(self, last: bool) -> None:
        async with self._one_writes:
            if self._opening is None or not self._opening.done():
                return
            keeper = self._opening.result()
            try:
                await asyncio.to_thread(keeper.keep, self._ended)
            finally:
                if last:
                    self._opening = None
                    keeper.close()

    @property
    def _ended(self) -> list[Turn]:
        """The turns with something to keep; a question alone is not one yet."""
        return [turn for turn in self._assistant.conversation.turns if turn.ended]
