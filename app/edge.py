"""The edge of both commands, where a failure becomes one sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup

from app.errors import INTERRUPTED, BedsideError, ResourceError
from app.sanitise import clean, one_line


class EdgeGroup(TyperGroup):
    """A group of commands under one edge: `typer.Typer(cls=EdgeGroup)`.

    The root's `--debug` option shows where it came from.
    """

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the program. What the system refused ends here, the full disk under stdout too."""
        try:
            try:
                return super().main(*arguments, **options)
            finally:
                _flush()
        except OSError as refusal:
            _let_go_of_stdout()
            if isinstance(refusal, BrokenPipeError):  # whoever read the output has gone
                sys.exit(1)
            _complain(_refused(refusal))
            sys.exit(ResourceError.exit_code)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. What it raises ends here."""
        try:
            return super().invoke(ctx)
        except BedsideError as error:
            if _debugging(ctx):
                traceback.print_exc()
            _complain(str(error))
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt
        except Exception as error:
            if _is_the_runners(error):
                raise
            if _debugging(ctx):
                traceback.print_exc()
            if isinstance(error, OSError) and error.errno is not None:
                raise
            if not _debugging(ctx):
                _complain(
                    f"This is a defect of Bedside ({type(error).__name__}). Put --debug in front "
                    "of the command to see where it happened, and please report it."
                )
            raise typer.Exit(1) from error


def _debugging(ctx: Any) -> bool:
    return bool(ctx.find_root().params.get("debug"))


def tell(sentence: str) -> None:
    """Say something to the person on stderr, so that stdout holds the answer alone."""
    print(clean(sentence), file=sys.stderr, flush=True)


def _complain(sentence: str) -> None:
    with suppress(OSError):  # where this cannot be written either, the exit code says it
        tell(sentence)


def _refused(refusal: OSError) -> str:
    what = one_line(str(refusal.filename), 100) if refusal.filename else "A file or the output"
    return (
        f"{what} could not be read or written ({refusal.strerror}). Check the disk, the "
        "permissions and where the output goes, then try again."
    )


def _flush() -> None:
    print(end="", flush=True)  # unlike sys.stdout.flush, this bears an output that was closed


def _let_go_of_stdout() -> None:
    """What could not be written is lost; the interpreter's end would try it again, with a trace."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_the_runners(error: Exception) -> bool:
    """Whether it is Typer's own: an exit, an abort, or a complaint that it prints itself."""
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "format_message")
