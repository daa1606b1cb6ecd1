"""The catalogue: shipped models, the user's own, and the one that a name or path means."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from app.catalog.entry import Entry, parse_entries
from app.catalog.hashes import CheckedFiles, Progress
from app.catalog.own import OwnModels
from app.config import Config
from app.errors import BadInputError, UsageError
from app.folders import Folders
from app.named_file import stat_of, typed_path
from app.sanitise import one_line
from app.toml_file import read_toml

CHECKOUT_FOLDER = Path(__file__).resolve().parents[2] / "models"
"""Beside the package, as in a checkout."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry with the place where its file is, or would be."""

    entry: Entry
    path: Path
    own: bool
    """Added by the user."""

    @property
    def installed(self) -> bool:
        """Whether the file is there."""
        return self.path.is_file()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that is to be opened."""

    path: Path
    entry: Entry | None
    """None for a file that stands in no list."""
    sha256: str | None
    """Checked; None for a file that stands in no list and was never hashed."""
    catalog: Catalog

    @property
    def demonstration(self) -> bool:
        """Whether every answer must carry the demonstration line."""
        return self.entry is not None and self.entry.demonstration

    def advise_on_memory(self, available: int) -> str:
        """What to do when so many bytes do not suffice: the name of a model that needs less."""
        smaller = self.catalog.smaller_choice(available)
        if smaller is None or (self.entry and smaller.entry.name == self.entry.name):
            return "Close other programs, or load it all the same with --ignore-memory."
        name = smaller.entry.name
        if smaller.installed:
            return f"“{name}” would fit: start with `--model {name}`, or close other programs."
        return (
            f"“{name}” would fit; it is not installed (`bedside models list` says where it comes "
            "from). Or close other programs."
        )


def shipped_folder(checkout: Path = CHECKOUT_FOLDER, prefix: str = sys.prefix) -> Path:
    """Where the shipped catalogue lies: in the checkout, or where an installed wheel put it.

    The wheel carries the list alone, as `share/bedside/models/catalog.toml` of the environment; a
    model is larger than everything else together, so whoever installs brings it or links it there.
    """
    installed = Path(prefix) / "share" / "bedside" / "models"
    return checkout if (checkout / "catalog.toml").is_file() else installed


class Catalog:
    """Every model that can be named."""

    def __init__(self, folder: Path, folders: Folders) -> None:
        """Reads the lists. Raises BadInputError where one is missing or damaged."""
        self.folder = folder
        self.own = OwnModels(folders)
        self._checked = CheckedFiles(folders.state)
        path = folder / "catalog.toml"
        tables = read_toml(path)
        self._shipped = parse_entries(tables.get("model"), one_line(str(path)))
        self.default = str(tables.get("default", ""))

    @classmethod
    def open(cls, config: Config, folders: Folders) -> Catalog:
        """The catalogue that the settings name, or the shipped one."""
        named = typed_path(config.models_folder) if config.models_folder else None
        return cls(named or shipped_folder(), folders)

    def models(self) -> Iterator[Listed]:
        """All models: the shipped ones, then the user's, each name once.

        A model that the user added stands in place of the shipped entry of its name.
        """
        own = {entry.name: entry for entry in self.own.entries()}
        for entry in self._shipped:
            if entry.name in own:
                yield self._own(own.pop(entry.name))
            else:
                yield Listed(entry, self.folder / entry.file, own=False)
        yield from map(self._own, own.values())

    def find(self, name: str) -> Listed | None:
        """The model of that name."""
        return next((listed for listed in self.models() if listed.entry.name == name), None)

    def shipped(self, name: str) -> Entry | None:
        """The shipped list's own entry of that name."""
        return next((entry for entry in self._shipped if entry.name == name), None)

    def resolve(self, name_or_path: str = "", progress: Progress = lambda _read: None) -> Chosen:
        """The model that a name, a path or nothing (the default) means, ready to be opened.

        Reads the whole file only where its size, time or inode is not that of the last check.

        Raises:
            UsageError: there is no such model; the sentence names what there is.
            BadInputError: its file is missing, or is not the one in the catalogue.
        """
        name = name_or_path or self.default
        if self.find(name) is None:
            return self._file(name, progress)
        listed = self.installed(name)
        sha256 = self._checked.hash(listed.path, progress)
        if listed.entry.sha256 not in ("", sha256):
            raise BadInputError(
                f"The file of “{name}” is not what it was when it was listed: it is damaged or "
                "was replaced. Get it again; `bedside models verify` checks them all."
            )
        return Chosen(listed.path, listed.entry, sha256, self)

    def installed(self, name: str) -> Listed:
        """The model of that name, whose file is there.

        Raises:
            UsageError: there is no such model.
            BadInputError: its file is missing; the sentence says how to get it.
        """
        listed = self.find(name)
        if listed is None:
            raise self._unknown(name)
        if not listed.installed:
            raise BadInputError(_how_to_get(listed))
        return listed

    def smaller_choice(self, available: int) -> Listed | None:
        """The most capable model that fits into so many bytes, an installed one before others."""
        fitting = [
            listed
            for listed in self.models()
            if 0 < listed.entry.memory <= available and not listed.entry.demonstration
        ]
        return max(fitting, key=lambda one: (one.installed, one.entry.parameters), default=None)

    def verify(self, listed: Listed, progress: Progress = lambda _read: None) -> bool:
        """Reads the whole file and says whether its hash is the listed one.

        A file that somebody laid beside the catalogue, where no hash is listed, never holds.
        """
        return self._checked.take(listed.path, progress) == listed.entry.sha256

    def _own(self, entry: Entry) -> Listed:
        return Listed(entry, self.own.folder / entry.file, own=True)

    def _file(self, text: str, progress: Progress) -> Chosen:
        """A path that stands in no list. A shipped file is known again by its hash."""
        path = typed_path(text)
        stands = stat_of(path) if text else None
        if stands is None:
            raise self._unknown(text)
        size = stands.st_size if S_ISREG(stands.st_mode) else None
        same = [one for one in self._shipped if one.bytes == size]
        sha256 = self._checked.hash(path, progress) if same else None
        entry = next((one for one in same if one.sha256 == sha256), None)
        return Chosen(path, entry, sha256, self)

    def _unknown(self, text: str) -> UsageError:
        names = [listed.entry.name for listed in self.models()]
        shown = one_line(text, 100)
        near = difflib.get_close_matches(text, names, n=1)
        if near:
            return UsageError(f"There is no model or file “{shown}”. Did you mean “{near[0]}”?")
        ready = [one.entry.name for one in self.models() if one.installed]
        there = f"Installed: {', '.join(ready)}." if ready else "None is installed."
        return UsageError(
            f"There is no model or file “{shown}”. {there} `bedside models list` shows all."
        )


def _how_to_get(listed: Listed) -> str:
    entry = listed.entry
    if listed.own or entry.sha256:
        return (
            f"The file of “{entry.name}” is missing: {one_line(str(listed.path))}. "
            "Put it back, or get it again from its source."
        )
    return (
        f"“{entry.name}” is listed but not installed. Get a Q4_K_M .gguf file of {entry.source} "
        f"({entry.licence}), then run `bedside models add FILE --name {entry.name}`."
    )
