"""`bedside kiosk pin`: sets what unlocks the screen that strangers share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.errors import UsageError
from app.sanitise import one_line


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
    from app.toml_edit import set_texts
    from app.ui.pin import Pin

    path = settings_file(context.obj.config, os.environ)
    _check_owner(path)
    hashed = None if remove else str(Pin.of(_ask()))
    set_texts(path, "ui", {"kiosk_pin_hash": hashed, "kiosk_pin": None})
    typer.echo("The kiosk has no PIN now." if remove else "The kiosk's PIN is set.")
    typer.echo(f"It stands in {path}. A kiosk that runs takes it at its next wipe.")


def _check_owner(path: Path) -> None:
    """A file that root makes would be root's alone, and the kiosk's own user could not read it."""
    from app.folders import Folders

    if os.geteuid() == 0 and not path.exists() and path.parent != Folders.standard().config:
        shown = one_line(str(path))
        raise UsageError(
            f"There is no file {shown}, and one that root makes only root could read. Make it for "
            f"the user of the kiosk first: `install -m 640 -g bedside /dev/null {shown}`."
        )


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
