"""The chat line by line: for screen readers, simple terminals and pipes."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator

from app.assistant.assistant import Assistant
from app.assistant.events import TurnEvent
from app.cli.answers import ending, make_ready, notice_of_model, write_answer
from app.cli.house import House, build
from app.cli.lines import alert_lines, card_lines, question_line
from app.cli.options import Choices
from app.errors import BedsideError

_HELP = (
    "Commands: /new forgets the conversation, /again answers once more, /crisis shows whom to call "
    "in a crisis, /quit leaves."
)


def run_plain(choices: Choices) -> int:
    """Read questions from stdin until it ends; returns the exit code.

    Ctrl-C while an answer comes stops the answer; at the prompt and while loading it leaves.
    """
    house = build(choices, _say)
    house.open()
    loop = asyncio.new_event_loop()
    try:
        _run(loop, make_ready(house.assistant, _say))
        _say(house.notice)
        _say(_HELP)
        while (line := _read_line()) is not None and line != "/quit":
            if line:
                _run(loop, _turn(house, line))
        return 0
    finally:
        _run(loop, house.assistant.close())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        house.close("quit")


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[None, None, None]) -> None:
    """Run it to its end; Ctrl-C ends it in order, where a plain KeyboardInterrupt would leave it
    half done for whoever closes the engine."""
    task = loop.create_task(work)
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError as cancelled:
        raise KeyboardInterrupt from cancelled
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _read_line() -> str | None:
    """The next question; None at the end of the input."""
    sys.stdout.write("\nYou: " if sys.stdin.isatty() else "")
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None


async def _turn(house: House, line: str) -> None:
    assistant = house.assistant
    try:
        match line:
            case "/new":
                await assistant.new_conversation()
                _say("A new conversation. The earlier one is forgotten.")
            case "/again":
                await _answer(house, assistant.regenerate())
            case "/crisis":
                _say_all(_help_now(assistant))
            case "/yes" | "/no":
                _say_all(_settle(assistant, yes=line == "/yes"))
            case _ if line.startswith("/"):
                _say(_HELP)
            case _:
                await _answer(house, assistant.ask(line))
        _say_all(question_line(assistant.questions))
    except BedsideError as error:
        _say(str(error))


def _help_now(assistant: Assistant) -> Iterator[str]:
    card = assistant.help_card()
    return card_lines(card) if card is not None else iter(())


def _settle(assistant: Assistant, *, yes: bool) -> Iterator[str]:
    """Answer the question that stands; a yes may raise a card."""
    if not assistant.questions:
        yield "No question waits for a yes or a no."
        return
    question = assistant.questions[0]
    if not yes:
        assistant.deny(question)
    elif (alert := assistant.confirm(question)) is not None:
        yield from alert_lines(alert)


async def _answer(house: House, events: AsyncGenerator[TurnEvent, None]) -> None:
    begun = False

    def write(text: str) -> None:
        nonlocal begun
        _write(text if begun else f"Bedside: {text}")
        begun = True

    last = await write_answer(house.assistant, events, write, _say)
    if begun:
        _write("\n")
    for sentence in (ending(last), notice_of_model(house.assistant, last)):
        if sentence:
            _say(sentence)
    if house.budget_line is not None:
        _say(f"Power budget: {house.budget_line()}.")


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
