"""Conversations that their person chose to keep: one encrypted file each, added to turn by turn.

Nothing is kept unless asked for. A file has a random name and can be read by its owner alone; it
tells how long the conversation is, in steps of half a kilobyte, and when it was last added to, and
nothing else. `format` says how its bytes lie, `records` what is in them.
"""

from __future__ import annotations

from app.conversation.vault.format import (
    DamagedVaultError,
    NewerVaultError,
    Passphrase,
    WrongPassphraseError,
)
from app.conversation.vault.listing import Listing, Title, titles
from app.conversation.vault.reading import UNFINISHED, Contents, kept_files, read_vault
from app.conversation.vault.records import About
from app.conversation.vault.vault import Vault

__all__ = [
    "DELETED",
    "FOLDER",
    "LOST_PASSPHRASE",
    "UNFINISHED",
    "About",
    "Contents",
    "DamagedVaultError",
    "Listing",
    "NewerVaultError",
    "Passphrase",
    "Title",
    "Vault",
    "WrongPassphraseError",
    "kept_files",
    "read_vault",
    "titles",
]

FOLDER = "conversations"
"""Below the user's state folder."""

LOST_PASSPHRASE = (
    "A lost passphrase cannot be recovered: without it nobody can read this conversation again, "
    "you and the makers of Bedside included."
)
"""For the screen that asks for a new passphrase."""

DELETED = (
    "The file is deleted. An SD card or SSD may hold its old blocks for a while, and overwriting "
    "does not reach them, so none is done: what is left there stays sealed by the passphrase."
)
"""For whoever has deleted a kept conversation."""
