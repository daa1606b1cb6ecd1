"""`python -m deploy.bundle make | lock`: what `make bundle` calls, and what renews the locks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.edge import EdgeGroup
from app.errors import UsageError
from app.releases.manifest import BOARDS

root = typer.Typer(
    cls=EdgeGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Builds what is carried to a board without a network.",
)


@root.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of a defect.")] = False,
) -> None:
    """The edge that the commands stand at."""


@root.command("make")
def _make(
    board: Annotated[str, typer.Option(help=" or ".join(BOARDS))],
    model: Annotated[Path, typer.Option(help="A .gguf file that models/catalog.toml lists.")],
    key: Annotated[Path | None, typer.Option(help="OpenSSH's private key, to sign with.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")] = Path("build/bundles"),
    reference: Annotated[Path | None, typer.Option(help="Index of further reference.")] = None,
    version: Annotated[str, typer.Option(help="In place of the commit's own, to try.")] = "",
) -> None:
    """Build a bundle: its folder, and the same as an archive."""
    from deploy.bundle.build import build
    from deploy.bundle.order import Order
    from deploy.bundle.workplace import Workplace

    if board not in BOARDS:
        raise UsageError(f"There are no bundles for “{board}”. Name one of: {', '.join(BOARDS)}.")
    order = Order(board, model, out, key, reference, version)
    with Workplace().alone() as place:
        built = build(order, place, print)
    print(f"Bundle: {built.folder}\nArchive: {built.archive}")


@root.command("lock")
def _lock() -> None:
    """Choose every package anew and write the locks."""
    from deploy.bundle.lock import renew
    from deploy.bundle.workplace import Workplace

    with Workplace().alone() as place:
        for name in renew(place):
            print(name)


if __name__ == "__main__":
    root()
