"""`bedside models`: which models there are, taking one in, checking their files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Choices
from app.named_file import stat_of

if TYPE_CHECKING:
    from app.catalog import Catalog
    from app.catalog.catalog import Listed

_BOARDS = {"pi5-4gb": "Pi 5 4 GB", "pi5-8gb": "Pi 5 8 GB", "orin-nano-8gb": "Orin Nano"}
_FOOTNOTES = {
    "*": "* A demonstration: nothing it says may be relied on.",
    "~": "~ Size computed from the published configuration; the vocabulary adds up to 20 MB.",
}


def register(root: typer.Typer) -> None:
    """Adds the group to the root command."""
    group = typer.Typer(help="Which models there are; take one in; check their files.")
    group.command("list")(list_models)
    group.command("add")(add)
    group.command("verify")(verify)
    root.add_typer(group, name="models")


def list_models(context: typer.Context) -> None:
    """Show every model that can be named, and which are installed."""
    catalog = _open(context.obj)
    shown = list(catalog.models())
    for listed in shown:
        for line in _row(listed):
            typer.echo(line)
    marks = "".join(_marks(listed) for listed in shown)
    typer.echo()
    for mark, sentence in _FOOTNOTES.items():
        if mark in marks:
            typer.echo(sentence)
    typer.echo(f"Without --model, Bedside opens “{catalog.default}”.")


def add(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The .gguf file; it stays where it is.")],
    name: Annotated[
        str, typer.Option("--name", help="What to call it; made from the file's name if not given.")
    ] = "",
) -> None:
    """Check a model file and take it into your own list."""
    catalog = _open(context.obj)
    name = name or _name_of(path)
    stands = stat_of(path)
    with _progress("Checking", stands.st_size if stands else 0) as progress:
        entry = catalog.own.add(path, name, catalog.shipped(name), progress)
    typer.echo(f"Added “{entry.name}” ({sized(entry.bytes)}, SHA-256 {entry.sha256}).")
    typer.echo(f"Start it with `bedside --model {entry.name}`.")


def verify(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="One model; without it, all that are installed.")
    ] = "",
) -> None:
    """Read whole model files and compare them with their listed SHA-256."""
    from app.errors import CheckError

    catalog = _open(context.obj)
    chosen = (
        [catalog.installed(name)] if name else [one for one in catalog.models() if one.installed]
    )
    if not chosen:
        typer.echo("No model is installed; `bedside models list` shows where to get one.")
    failed = [listed.entry.name for listed in chosen if not _verified(catalog, listed)]
    if failed:
        raise CheckError(
            f"Not as listed: {', '.join(failed)}. The file is damaged or was replaced; get it "
            "again from its source before you use it."
        )


def sized(size: int) -> str:
    """Bytes in units of a thousand, as disks and models are sold."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _verified(catalog: Catalog, listed: Listed) -> bool:
    with _progress(f"Reading {listed.entry.name}", listed.path.stat().st_size) as progress:
        holds = catalog.verify(listed, progress)
    typer.echo(f"{listed.entry.name}: {'as listed' if holds else 'NOT as listed'}")
    return holds


def _row(listed: Listed) -> Iterator[str]:
    entry = listed.entry
    size = ("~" if entry.computed else "") + sized(entry.bytes)
    state = "yours" if listed.own else "installed"
    boards = ", ".join(_BOARDS.get(board, board) for board in entry.boards) or "not computed"
    yield (
        f"{entry.name + _marks(listed)[:1].replace('~', ''):<18} {size:>9}  "
        f"{state if listed.installed else 'not installed':<13}  {entry.licence}"
    )
    yield f"    fits {boards}"
    yield f"    from {entry.source}"
    if entry.good_for:
        yield f"    good for {entry.good_for}"
    if entry.not_good_for:
        yield f"    not for {entry.not_good_for}"


def _marks(listed: Listed) -> str:
    return ("*" if listed.entry.demonstration else "") + ("~" if listed.entry.computed else "")


def _name_of(path: Path) -> str:
    """A name that can be typed, made from the file's: `Foo-1B.Q4_K_M.gguf` is `foo-1b.q4_k_m`."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")
    return plain[:64] or "model"


def _open(choices: Choices) -> Catalog:
    from app.catalog import Catalog
    from app.config import load_config
    from app.folders import Folders

    config = load_config(choices.config, os.environ, choices.settings())
    return Catalog.open(config, Folders.standard())


@contextmanager
def _progress(label: str, size: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while bytes go by; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _read: None
        return
    with typer.progressbar(length=max(size, 1), label=label, file=sys.stderr) as bar:
        yield bar.update
