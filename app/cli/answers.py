"""What `ask` and the plain chat share: a model made ready, an answer written as it comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager

from app.assistant.assistant import Assistant
from app.assistant.events import (
    Alert,
    Failed,
    Finished,
    Held,
    Notice,
    Passages,
    Support,
    Text,
    TurnEvent,
)
from app.assistant.notices import DEMONSTRATION, remarks_on
from app.cli.lines import alert_lines, passage_lines
from app.conversation.wording import ENDINGS, from_reference
from app.engine.ports import failure

Say = Callable[[str], None]
LastEvent = Finished | Failed | Held


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
) -> LastEvent:
    """Write an answer as it comes; Ctrl-C stops it. Returns how it ended.

    Args:
        assistant: whose answer it is.
        events: the turn.
        write: gets the pieces of the answer; a card that stands alone is the answer.
        tell: gets everything else, a line at a time.
    """
    writer = _Writer(assistant.demonstration, write, tell)
    with _stopping_on_interrupt(assistant):
        async with aclosing(events) as stream:
            async for event in stream:
                writer.take(event)
    assert writer.last is not None
    return writer.last


class _Writer:
    """One turn, written down."""

    def __init__(self, demonstration: bool, write: Say, tell: Say) -> None:
        self.last: LastEvent | None = None
        self._demonstration, self._write, self._tell = demonstration, write, tell
        self._alerts: list[Alert] = []

    def take(self, event: TurnEvent) -> None:
        """Write what an event says."""
        if isinstance(event, Alert):
            self._alerts.append(event)
            return
        if isinstance(event, Held):
            self._write("\n\n".join("\n".join(alert_lines(one)) for one in self._alerts))
            self._alerts.clear()
        self._tell_alerts()
        match event:
            case Passages():
                self._lean(event)
            case Text(text=text):
                self._write(text)
            case Notice(sentence=sentence):
                self._tell(sentence)
            case Support():
                self._write("\n")
                self._tell_all(remarks_on(event))
            case Finished() | Failed() | Held():
                self.last = event

    def _tell_alerts(self) -> None:
        """The cards come before whatever follows them."""
        for alert in self._alerts:
            self._tell_all(alert_lines(alert))
        self._alerts.clear()

    def _lean(self, passages: Passages) -> None:
        self._tell_all(passage_lines(passages))
        if self._demonstration and passages.found:
            self._write(f"{from_reference(passages.found[0])}\n")

    def _tell_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._tell(line)


def ending(last: LastEvent) -> str:
    """What to say of an answer that did not simply end; empty where it did."""
    match last:
        case Failed(sentence=sentence):
            return sentence
        case Finished(reason=reason):
            return ENDINGS[reason]
        case Held():
            return "The model was not asked."


def notice_of_model(assistant: Assistant, last: LastEvent) -> str:
    """What to say of a model that answered; empty where it did not, or there is nothing to say."""
    answered = isinstance(last, Finished) and last.generated > 0
    return DEMONSTRATION if assistant.demonstration and answered else ""


@contextmanager
def _stopping_on_interrupt(assistant: Assistant) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGINT, lambda: stops.add(loop.create_task(assistant.stop())))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
