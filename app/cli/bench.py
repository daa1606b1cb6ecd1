"""`bedside bench`: how fast this board answers, and what it takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from app.cli.options import Board, Choices, ConfigFile, IgnoreMemory, Model, NoLog
from app.edge import tell
from app.errors import CheckError, UsageError

if TYPE_CHECKING:
    from app.monitor.bench.plan import Plan


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("bench")(_bench)


def _bench(  # noqa: PLR0913  one parameter an option is Typer's way
    context: typer.Context,
    model: Model = None,
    board: Board = None,
    config: ConfigFile = None,
    no_log: NoLog = False,
    ignore_memory: IgnoreMemory = False,
    prompts: Annotated[str, typer.Option("--prompt", help="Prompt lengths in tokens.")] = "128,512",
    answers: Annotated[str, typer.Option("--answer", help="Answer lengths in tokens.")] = "64",
    threads: Annotated[
        str, typer.Option(help="Numbers of threads, as 1,2,4; the board's profile's if not given.")
    ] = "",
    types: Annotated[
        str, typer.Option(help="Types of keys and values: f32, f16, q8_0; as f16,q8_0.")
    ] = "",
    repeats: Annotated[int, typer.Option(help="Measured answers a row.", min=1, max=100)] = 5,
    form: Annotated[
        str, typer.Option("--format", help="table, json, csv, or llama-bench's JSON lines.")
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file and not to stdout.")
    ] = None,
    cold: Annotated[
        bool, typer.Option("--cold", help="Have the kernel forget the model's file first.")
    ] = False,
    rate: Annotated[float, typer.Option(help="Readings a second.", min=0.5, max=10)] = 4.0,
) -> None:
    """Measure prefill, decoding, power and memory. Ends with 6 where every row is void."""
    import asyncio

    from app.cli.benching import prepare
    from app.files import write_whole
    from app.monitor.bench.formats import FORMATS

    if form not in FORMATS:
        raise UsageError(f"There is no format “{form}”. Choose one of: {', '.join(FORMATS)}.")
    plan = _plan(prompts, answers, threads, types, repeats)
    choices = Choices(model, board, None, config, no_log, ignore_memory).over(context.obj)
    bencher = prepare(choices, 1 / rate, cold, os.environ, tell)
    bench = asyncio.run(bencher.run(plan))
    text = FORMATS[form](bench)
    if output is None:
        print(text.rstrip("\n"))
    else:
        write_whole(output, text.encode())
    if bench.rows and all(row.void for row in bench.rows):
        raise CheckError("Every row is void: see the reasons, put them right and measure again.")


def _plan(prompts: str, answers: str, threads: str, types: str, repeats: int) -> Plan:
    from app.engine.messages import KvType
    from app.monitor.bench.plan import Plan, numbers

    kinds = [word.strip() for word in types.split(",") if word.strip()]
    known = get_args(KvType)
    for kind in kinds:
        if kind not in known:
            raise UsageError(f"There is no type “{kind}” of keys. Choose from: {', '.join(known)}.")
    plan = Plan(
        prompts=numbers(prompts),
        answers=numbers(answers),
        threads=numbers(threads) if threads else (),
        types=tuple(kind for kind in known if kind in kinds),
        repeats=repeats,
    )
    plan.check()
    return plan
