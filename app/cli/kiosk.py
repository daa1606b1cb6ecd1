"""`bedside kiosk pin`: sets what unlocks the screen that strangers share."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from app.errors import UsageError


def register(root: typer.Typer) -> None:
    """Adds the group to the root command."""
    group = typer.Typer(help="The screen that strangers share: its PIN.")
    group.callback()(_group)
    group.command("pin")(pin)
    root.add_typer(group, name="kiosk")


def _group() -> None:
    """A group also while it has one command."""


def pin(
    context: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="Have no PIN any more.")] = False,
) -> None:
    """Set the kiosk's PIN; the settings keep a hash of it."""
    from app.config import settings_file
    from app.folders import Folders
    from app.toml_edit import set_texts
    from app.ui.pin import FILE, Attempts, Pin

    hashed = None if remove else str(Pin.of(_ask()))
    path = settings_file(context.obj.config, os.environ)
    set_texts(path, "ui", {"kiosk_pin_hash": hashed, "kiosk_pin": None})
    Attempts(Folders.standard().state / FILE).forget()
    typer.echo("The kiosk has no PIN now." if remove else "The kiosk's PIN is set.")
    typer.echo(f"It stands in {path}. A kiosk that runs takes it at its next wipe.")


def _ask() -> str:
    """From the terminal and nowhere else: an option or a pipe would be recorded."""
    from app.ui.pin import check_pin

    if not sys.stdin.isatty():
        raise UsageError("The PIN is asked for at a terminal only; there is none here.")
    digits: str = typer.prompt("New PIN", hide_input=True, err=True)
    check_pin(digits)
    if typer.prompt("The same once more", hide_input=True, err=True) != digits:
        raise UsageError("The two are not the same. Nothing was changed.")
    return digits
