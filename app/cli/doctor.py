"""`bedside doctor`: what is right with this machine, what is not, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Choices

if TYPE_CHECKING:
    from app.boards import Profile


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
    card: Annotated[
        bool, typer.Option("--card", help="A page to print for whoever looks after the board.")
    ] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Show the board's settings, each with its reason.")
    ] = False,
) -> None:
    """Check this machine. Ends with 6 where something essential needs attention."""
    from app import doctor as room
    from app.boards import detect, profile
    from app.cli.examination import examine, page
    from app.config import load_config
    from app.folders import Folders

    choices = context.obj or Choices()
    config = load_config(choices.config, os.environ, choices.settings())
    board = detect()
    chosen = profile(config.board or board.id)
    if settings:
        _print(_settings(chosen))
        return
    folders = Folders.standard()
    checks = tuple(examine(config, folders, board, chosen))
    if card:
        _print(room.card(page(config, folders, board), checks))
        return
    _print([room.as_json(checks)] if as_json else room.lines(checks))
    room.verdict(checks)


def _settings(chosen: Profile) -> Iterator[str]:
    """Each setting of a profile with its reason."""
    yield f"Profile {chosen.id}"
    width = max(map(len, chosen.reasons))
    for name, reason in chosen.reasons.items():
        yield f"  {name:<{width}}  {getattr(chosen.settings, name)!s:<6} {reason}"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
