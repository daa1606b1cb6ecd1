"""The list of kept conversations: their titles, as far as one passphrase opens them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.conversation.vault.format import Passphrase, WrongPassphraseError
from app.conversation.vault.reading import Contents, kept_files, read_vault
from app.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Title:
    """One line of the list."""

    path: Path
    title: str
    turns: int
    written: float
    """As in `Contents`."""
    torn: bool
    damaged: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """The kept conversations of a folder, as far as one passphrase opens them."""

    titles: tuple[Title, ...]
    """The latest first."""
    others: int
    """How many have another passphrase."""
    refused: tuple[tuple[Path, str], ...]
    """Files that cannot be read with any passphrase, each with a sentence."""


def titles(folder: Path, passphrase: Passphrase) -> Listing:
    """The list of what the passphrase opens.

    Raises:
        WrongPassphraseError: there are kept conversations, and it opens none of them.
        BadInputError: the folder cannot be read.
    """
    found: list[Title] = []
    refused: list[tuple[Path, str]] = []
    wrong: WrongPassphraseError | None = None
    others = 0
    for path in kept_files(folder):
        try:
            found.append(_title(path, read_vault(path, passphrase)))
        except WrongPassphraseError as error:
            wrong, others = error, others + 1
        except BadInputError as error:
            refused.append((path, str(error)))
    if wrong is not None and not found:
        raise WrongPassphraseError(
            "This passphrase opens none of the kept conversations. Check the keyboard layout and "
            "Caps Lock, then try again."
        ) from wrong
    return Listing(tuple(found), others, tuple(refused))


def _title(path: Path, contents: Contents) -> Title:
    damaged = contents.damage is not None
    turns = len(contents.turns)
    return Title(path, contents.title, turns, contents.written, contents.torn, damaged)
