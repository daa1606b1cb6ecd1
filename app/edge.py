"""The edge of both commands, where a failure becomes one sentence and an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from app.errors import INTERRUPTED, BedsideError
from app.sanitise import clean


class EdgeGroup(TyperGroup):
    """A group of commands under one edge: `typer.Typer(cls=EdgeGroup)`.

    The root's `--debug` option shows where it came from.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command. What it raises ends here."""
        try:
            return super().invoke(ctx)
        except BedsideError as error:
            if _debugging(ctx):
                traceback.print_exc()
            _tell(str(error))
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt
        except BrokenPipeError:
            raise  # whoever read the output has gone; the runner ends quietly
        except Exception as error:
            if _is_the_runners(error):
                raise
            if _debugging(ctx):
                traceback.print_exc()
            else:
                _tell(
                    f"This is a defect of Bedside ({type(error).__name__}). Put --debug in front "
                    "of the command to see where it happened, and please report it."
                )
            raise typer.Exit(1) from error


def _debugging(ctx: Any) -> bool:
    return bool(ctx.find_root().params.get("debug"))


def _tell(sentence: str) -> None:
    print(clean(sentence), file=sys.stderr, flush=True)


def _is_the_runners(error: Exception) -> bool:
    """Whether it is Typer's own: an exit, an abort, or a complaint that it prints itself."""
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "format_message")
