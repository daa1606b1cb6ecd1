"""`bedside update` and `bedside rollback`: another release on this board."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import UsageError

if TYPE_CHECKING:
    from app.releases.layout import Layout

_ENVIRONMENT = re.compile(r"(/|/.*/)opt/bedside/releases/[^/]+/venv")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command("update")(update)
    root.command("rollback")(rollback)


def update(
    bundle: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder of a bundle, as on a stick.")
    ],
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Take a bundle older than what runs.")
    ] = False,
) -> None:
    """Install a bundle in place of the release that runs; what is sick is put back."""
    _releases("update", str(bundle.absolute()), *(["--allow-downgrade"] * allow_downgrade))


def rollback() -> None:
    """Let the release before this one run again."""
    _releases("rollback")


def _releases(*arguments: str) -> None:
    """Does what `python -m app.releases` does, for the installation that this program is of."""
    from app.releases.__main__ import perform

    layout = installed_layout(sys.prefix)
    perform([*arguments, f"--prefix={layout.root}"])


def installed_layout(prefix: str) -> Layout:
    """Where the installation lies whose environment this is.

    Args:
        prefix: of the running Python, `sys.prefix`.

    Raises:
        UsageError: this is no release that a bundle installed.
    """
    from app.releases.layout import Layout

    found = _ENVIRONMENT.fullmatch(str(Path(prefix).resolve()))
    if found is None:
        raise UsageError(
            "This Bedside was not installed from a bundle, so there is nothing to update or to go "
            "back to here. Update a checkout with git, an installed package with pip."
        )
    return Layout(Path(found.group(1)))
