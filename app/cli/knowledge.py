"""`bedside knowledge`: the reference on the board, and the documents that are added to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.sanitise import clean, one_line

if TYPE_CHECKING:
    from app.knowledge.passage import Passage
    from app.knowledge.reference import Reference

_UNREVIEWED = "No clinician has reviewed this card."


def register(root: typer.Typer) -> None:
    """Adds the group to the root command."""
    group = typer.Typer(help="The reference that answers lean on; add documents; search it.")
    group.command("add")(add)
    group.command("list")(list_documents)
    group.command("remove")(remove)
    group.command("search")(search)
    root.add_typer(group, name="knowledge")


def add(
    path: Annotated[
        Path,
        typer.Argument(
            help="Markdown, text, MedQuAD XML, JSON lines or PDF; or a folder of them. It stays "
            "where it is.",
        ),
    ],
    title: Annotated[str, typer.Option("--title", help="What to call it.")] = "",
    source: Annotated[str, typer.Option("--source", help="Who wrote it.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Under which terms.")] = "",
    url: Annotated[str, typer.Option("--url", help="Where it comes from.")] = "",
    date: Annotated[str, typer.Option("--date", help="When it was written: 2026-11-20.")] = "",
) -> None:
    """Take a document into the reference."""
    from app.knowledge.readers.labels import Labels

    added = _open().add(path, Labels(title, source, licence, url, date))
    pieces = "1 passage" if added.entries == 1 else f"{added.entries} passages"
    typer.echo(f"Added “{added.id}”: {added.title}, {pieces}, licence {added.licence}.")


def list_documents() -> None:
    """Show what the reference holds."""
    for document in _open().documents():
        title, source, licence = map(one_line, (document.title, document.source, document.licence))
        typer.echo(f"{document.id:<24} {document.entries:>6} passages  {title}")
        typer.echo(f"    from {source}; licence {licence}; {document.added}")


def remove(
    document: Annotated[str, typer.Argument(help="Its name in `bedside knowledge list`.")],
) -> None:
    """Take an added document out of the reference."""
    _open().remove(document)
    typer.echo(f"Removed “{document}”.")


def search(
    question: Annotated[str, typer.Argument(help="In your own words.")],
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=20, help="How many passages at most.")
    ] = 3,
) -> None:
    """Show the passages that fit a question."""
    found = _open().search(question, limit)
    if not found:
        typer.echo("No passage in the reference fits this question well enough.")
    for number, passage in enumerate(found, 1):
        typer.echo(f"[{number}] {one_line(passage.title)}")
        typer.echo(f"    {_origin(passage)}")
        typer.echo(f"\n{clean(passage.text)}\n")


def _origin(passage: Passage) -> str:
    """Where a passage comes from, in one line."""
    parts = (passage.source, passage.date or "date not stated", passage.licence, passage.url)
    told = "; ".join(one_line(part) for part in parts if part)
    return f"{told}. {_UNREVIEWED}" if passage.reviewed_by == "none" else told


def _open() -> Reference:
    from app.folders import Folders
    from app.knowledge.reference import Reference

    return Reference(Folders.standard().data, tell=lambda sentence: typer.echo(sentence, err=True))
