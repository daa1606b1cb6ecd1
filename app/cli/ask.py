"""`bedside ask QUESTION`: one answer on stdout, for scripts; everything else goes to stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import (
    Board,
    Choices,
    ConfigFile,
    Context,
    IgnoreMemory,
    Model,
    NoLog,
    PowerBudget,
)
from app.edge import tell
from app.errors import INTERRUPTED, BedsideError, UsageError

if TYPE_CHECKING:
    from app.cli.house import House


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("ask")(_ask)


def _ask(  # noqa: PLR0913  one parameter an option is Typer's way
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question; - reads it from stdin.")],
    model: Model = None,
    board: Board = None,
    tokens: Context = None,
    config: ConfigFile = None,
    no_log: NoLog = False,
    ignore_memory: IgnoreMemory = False,
    power_budget: PowerBudget = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 takes the likeliest word each time.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The longest answer, in tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same answer.")] = None,
) -> None:
    """Answer one question on stdout; notices go to stderr."""
    import asyncio

    from app.cli.house import build
    from app.cli.sealing import seal

    seal()
    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise UsageError("There is no question to answer.")
    sampling = (("temperature", temperature), ("max_tokens", max_tokens), ("seed", seed))
    choices = Choices(model, board, tokens, config, no_log, ignore_memory, sampling, power_budget)
    house = build(choices.over(context.obj), tell)
    raise typer.Exit(asyncio.run(_answer(house, text)))


async def _answer(house: House, question: str) -> int:
    import asyncio

    from app.assistant.events import Failed, Held
    from app.cli.answers import ending, make_ready, notice_of_model, write_answer
    from app.cli.lines import asked_lines
    from app.engine.ports import failure

    assistant = house.assistant
    house.open()
    reason = "failed"
    ready = asyncio.create_task(make_ready(assistant, tell))
    try:  # the red flags hear the question while the model is still being loaded
        pieces: list[str] = []
        last = await write_answer(
            assistant, assistant.ask(question), lambda text: _write(text, pieces), tell
        )
        if pieces:
            print(flush=True)
        if isinstance(last, Failed):
            await ready  # what kept the model from being made ready is the first cause
            raise failure(last)
        for sentence in filter(None, (ending(last), notice_of_model(assistant, last))):
            tell(sentence)
        for line in asked_lines(assistant.questions):
            tell(line)
        if house.budget_line is not None:
            tell(f"Power budget: {house.budget_line()}.")
        tell(house.notice)
        reason = "held" if isinstance(last, Held) else last.reason
    finally:
        ready.cancel()
        (trouble,) = await asyncio.gather(ready, return_exceptions=True)
        await assistant.close()
        house.close(reason)
    if isinstance(trouble, Exception) and not isinstance(trouble, BedsideError):
        raise trouble  # a defect is told though the answer did not wait for the model
    return INTERRUPTED if reason == "cancelled" else 0


def _write(text: str, pieces: list[str]) -> None:
    pieces.append(text)
    sys.stdout.write(text)
    sys.stdout.flush()
