"""What `ask` and the plain chat share: a model made ready, an answer written as it comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

from app.assistant.assistant import Assistant
from app.assistant.events import Failed, Finished, Notice, Text, TurnEvent
from app.errors import BadInputError, BedsideError, EngineError, ResourceError

Say = Callable[[str], None]

_ENDINGS = {
    "cancelled": "(stopped)",
    "length": "(cut: the answer reached its longest)",
    "repetition": "(ended: the model had begun to repeat itself)",
}


def failure(failed: Failed) -> BedsideError:
    """The error that an engine's failure is for a command, with its exit code."""
    kinds = {"bad_model": BadInputError, "memory": ResourceError, "context": BadInputError}
    return kinds.get(failed.code, EngineError)(failed.sentence)


async def make_ready(assistant: Assistant, tell: Say) -> None:
    """Load the model. Raises what kept it from being loaded."""
    async with aclosing(assistant.prepare()) as events:
        async for event in events:
            if isinstance(event, Failed):
                raise failure(event)
            if isinstance(event, Notice):
                tell(event.sentence)


async def write_answer(
    assistant: Assistant, events: AsyncGenerator[TurnEvent, None], write: Say, tell: Say
) -> Finished | Failed:
    """Write an answer as it comes; Ctrl-C stops it. Returns how it ended.

    Args:
        assistant: whose answer it is.
        events: the turn.
        write: gets the pieces of the answer.
        tell: gets notices, whole sentences.
    """
    last: Finished | Failed | None = None
    with _stopping_on_interrupt(assistant):
        async with aclosing(events) as stream:
            async for event in stream:
                match event:
                    case Text(text=text):
                        write(text)
                    case Notice(sentence=sentence):
                        tell(sentence)
                    case Finished() | Failed():
                        last = event
    assert last is not None
    return last


def ending(last: Finished | Failed) -> str:
    """What to say of an answer that did not simply end; empty where it did."""
    return last.sentence if isinstance(last, Failed) else _ENDINGS.get(last.reason, "")


@contextmanager
def _stopping_on_interrupt(assistant: Assistant) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGINT, lambda: stops.add(loop.create_task(assistant.stop())))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
