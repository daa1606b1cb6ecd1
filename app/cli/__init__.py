"""`bedside`: the chat, and the commands around it.

Each command imports what it needs when it runs: `bedside --help` must answer at once.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from app.cli import (
    ask,
    bench,
    chat,
    doctor,
    history,
    kiosk,
    knowledge,
    models,
    monitor,
    report,
    safety,
    update,
)
from app.cli.options import (
    Board,
    Choices,
    ConfigFile,
    Context,
    IgnoreMemory,
    Kiosk,
    Model,
    NoLog,
    Plain,
    PowerBudget,
)
from app.edge import EdgeGroup

root = typer.Typer(
    cls=EdgeGroup,
    name="bedside",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "A private medical assistant on this machine alone. "
        "It gives information, not a diagnosis. Without a command it opens the chat."
    ),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bedside {version('bedside')}")
        raise typer.Exit


@root.callback(invoke_without_command=True)
def _root(  # noqa: PLR0913  one parameter an option is Typer's way
    context: typer.Context,
    model: Model = None,
    board: Board = None,
    tokens: Context = None,
    config: ConfigFile = None,
    plain: Plain = False,
    no_log: NoLog = False,
    ignore_memory: IgnoreMemory = False,
    power_budget: PowerBudget = None,
    kiosk: Kiosk = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of a defect.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    choices = Choices(model, board, tokens, config, no_log, ignore_memory, (), power_budget, kiosk)
    if context.invoked_subcommand is None:
        chat.run(choices, plain)
    context.obj = choices


for _group in (
    chat,
    ask,
    models,
    doctor,
    monitor,
    bench,
    report,
    knowledge,
    safety,
    history,
    kiosk,
    update,
):
    _group.register(root)


def main() -> None:
    """The console script."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a letter in Latin-1, a terminal without a dash
            stream.reconfigure(errors="replace")
    root()
