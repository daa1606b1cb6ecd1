"""`bedside` and `bedside chat`: the conversation, on a screen or line by line."""

from __future__ import annotations

import typer

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
from app.errors import UsageError


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("chat")(_chat)


def _chat(  # noqa: PLR0913  one parameter an option is Typer's way
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
) -> None:
    """Open the chat. This is what `bedside` alone does too."""
    choices = Choices(model, board, tokens, config, no_log, ignore_memory, (), power_budget, kiosk)
    run(choices.over(context.obj), plain or bool(context.find_root().params.get("plain")))


def run(choices: Choices, plain: bool) -> None:
    """Chat until the person leaves. Ends in an exit code."""
    if plain and choices.kiosk:
        raise UsageError("The kiosk is a screen; leave out --plain or --kiosk.")
    from app.cli.sealing import seal

    seal()
    if plain:
        from app.cli.plain import run_plain

        raise typer.Exit(run_plain(choices))
    from app.cli.screen import run_screen

    raise typer.Exit(run_screen(choices))
