"""`bedside history`: the conversations that were kept, once their passphrase is typed."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.edge import tell
from app.errors import UsageError

if TYPE_CHECKING:
    from app.cli.options import Choices
    from app.conversation.vault import Contents, Listing, Passphrase

Name = Annotated[str, typer.Argument(help="As `bedside history list` shows it.")]
Damaged = Annotated[
    bool, typer.Option("--damaged", help="Take what stands before the damage in a damaged file.")
]


def register(root: typer.Typer) -> None:
    """Adds the group to the root command."""
    group = typer.Typer(help="Kept conversations: list, show, export, delete.")
    group.command("list")(list_kept)
    group.command("show")(show)
    group.command("export")(export)
    group.command("delete")(delete)
    root.add_typer(group, name="history")


def list_kept() -> None:
    """Show what is kept: name, day, turns and title, after the passphrase."""
    from app.cli.sealing import seal
    from app.conversation.vault import kept_files, titles

    seal()
    folder = _folder()
    if not kept_files(folder):
        typer.echo("No conversation is kept.")
        return
    for line in _lines(titles(folder, _ask_passphrase())):
        typer.echo(line)


def show(context: typer.Context, name: Name, damaged: Damaged = False) -> None:
    """Write a kept conversation on the screen, as Markdown."""
    from app.cli.sealing import seal

    seal()
    typer.echo(_markdown(context.obj, _read(name, damaged)), nl=False)


def export(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="A new file; nothing is overwritten.")],
    damaged: Damaged = False,
) -> None:
    """Write a kept conversation to a Markdown file, which is not encrypted."""
    from app.cli.sealing import seal
    from app.ui.export import write_new

    seal()
    write_new(file, _markdown(context.obj, _read(name, damaged)))
    typer.echo("Exported. Whoever can read that file can read the conversation: it is no longer")
    typer.echo("encrypted there. The kept one stays as it is.")


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a kept conversation; needs no passphrase."""
    from app.cli.sealing import seal
    from app.conversation.vault import DELETED, Vault

    seal()
    path = _path(name)
    if not yes and not typer.confirm(f"Delete the kept conversation {path.stem} for good?"):
        typer.echo("Nothing was deleted.")
        return
    Vault.delete(path)
    typer.echo(DELETED)


def _folder() -> Path:
    from app.conversation.vault import FOLDER
    from app.folders import Folders

    return Folders.standard().state / FOLDER


def _path(name: str) -> Path:
    """The file of that name: one of the folder's own, so no name leads anywhere else."""
    from app.conversation.vault import kept_files

    for path in kept_files(_folder()):
        if path.stem == name:
            return path
    raise UsageError(
        "There is no kept conversation of that name. `bedside history list` shows which there are."
    )


def _ask_passphrase() -> Passphrase:
    """From the terminal and nowhere else: an option, a variable or a pipe would be recorded."""
    from app.conversation.vault import Passphrase

    if not _at_terminal():
        raise UsageError("The passphrase is asked for at a terminal only; there is none here.")
    return Passphrase(typer.prompt("Passphrase", hide_input=True, err=True))


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _read(name: str, damaged: bool) -> Contents:
    from app.conversation.vault import UNFINISHED, read_vault

    contents = read_vault(_path(name), _ask_passphrase())
    if contents.damage is not None:
        if not damaged:
            raise contents.damage
        tell("The file is damaged; this is what stands before the damage.")
    if contents.torn:
        tell(UNFINISHED)
    return contents


def _markdown(choices: Choices, contents: Contents) -> str:
    from app.assistant.notices import information_notice
    from app.config import load_config
    from app.conversation.export import to_markdown
    from app.conversation.turns import Conversation

    config = load_config(choices.config, os.environ, choices.settings())
    conversation = Conversation()
    for turn in contents.turns:
        conversation.put_back(turn)
    about = contents.about
    notice = information_notice(config.ui.emergency_number)
    return to_markdown(conversation, about.model or "not noted", about.demonstration, notice)


def _lines(listing: Listing) -> list[str]:
    lines = []
    for one in listing.titles:
        day = time.strftime("%Y-%m-%d", time.localtime(one.written))
        turns = "1 turn " if one.turns == 1 else f"{one.turns} turns"
        mark = " (damaged)" if one.damaged else " (its last turn was not finished)" * one.torn
        lines.append(f"{one.path.stem}  {day}  {turns:>9}  {one.title}{mark}")
    if listing.others:
        count = "1 more has" if listing.others == 1 else f"{listing.others} more have"
        lines.append(f"{count} another passphrase.")
    return lines + [f"{path.stem}  {sentence}" for path, sentence in listing.refused]
