"""`bedside-convert`: what a workstation does to a model before a board gets it.

A command is a function in a file of its own and one line here. What a command needs it imports
when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType, TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.errors import BedsideError
from converter.cli import compare, convert, inspection, make, perplexity, plan, prune, saliency


class _Group(TyperGroup):
    """Ends a command that failed in its one sentence and its exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BedsideError as error:
            if ctx.params["debug"]:
                raise
            typer.echo(str(error), err=True)
            raise typer.Exit(error.exit_code) from error


app = typer.Typer(
    name="bedside-convert",
    cls=_Group,
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


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False,
) -> None:
    """Make the GGUF file that fits a board from a model checkpoint."""
    if debug:
        sys.excepthook = sys.__excepthook__


def main() -> None:
    """The console script."""
    sys.excepthook = _defect
    signal.signal(signal.SIGTERM, _ended)
    typer.main.get_command(app)(prog_name="bedside-convert")


def _ended(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the program as Ctrl-C does: what it had begun to write is cleared away."""
    sys.exit(128 + number)


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody foresaw, as a sentence; Python then ends with exit code 1."""
    if issubclass(kind, KeyboardInterrupt):
        return
    typer.echo(
        f"bedside-convert failed in a way that is a defect of its own ({kind.__name__}: {error}). "
        "Run it again with --debug before the command and report what it shows.",
        err=True,
    )
