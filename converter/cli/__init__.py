"""`bedside-convert`: what a workstation does to a model before a board gets it.

A command is a function in a file of its own and one line here. What a command needs it imports
when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from app.edge import EdgeGroup
from converter.cli import (
    compare,
    convert,
    evaluate,
    inspection,
    make,
    perplexity,
    plan,
    prune,
    results,
    saliency,
)

app = typer.Typer(
    name="bedside-convert",
    cls=EdgeGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(convert.convert)
app.command()(inspection.inspect)
app.command()(saliency.saliency)
app.command()(plan.plan)
app.command()(perplexity.perplexity)
app.command()(prune.prune)
app.command()(make.make)
app.command()(compare.compare)
app.command()(evaluate.evaluate)
app.command()(results.results)


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Make the GGUF file that fits a board from a model checkpoint."""


def main() -> None:
    """The console script."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup wants to go on
            signal.signal(number, _ended)
    typer.main.get_command(app)(prog_name="bedside-convert")


def _ended(number: int, frame: FrameType | None) -> None:
    """A signal that ends the program does so as Ctrl-C: what was begun is cleared away.

    SIGTERM asks it to end; SIGHUP says that its terminal was closed.
    """
    sys.exit(128 + number)
