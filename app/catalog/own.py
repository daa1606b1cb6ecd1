"""The models that the user has added: their files in the data folder, their list in the state."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from app.catalog.entry import NAME, Entry, parse_entries
from app.catalog.hashes import CheckedFiles, Progress, Stamp, sha256_of
from app.engine.memory import estimate
from app.engine.messages import EngineSettings
from app.engine.modelfile import Header, parameters, provenance, read_header
from app.errors import BadInputError, CheckError, ResourceError, UsageError
from app.files import alone, arriving, write_whole
from app.folders import Folders
from app.sanitise import one_line

_FILE = "models.json"
_CANNOT_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES}


class OwnModels:
    """The user's own list and files. Nothing is ever written beside the shipped ones."""

    def __init__(self, folders: Folders) -> None:
        self._list = folders.state / _FILE
        self._checked = CheckedFiles(folders.state)
        self.folder = folders.data / "models"

    def entries(self) -> tuple[Entry, ...]:
        """What was added, oldest first.

        Raises:
            BadInputError: the list is damaged.
        """
        where = one_line(str(self._list))
        try:
            content = json.loads(self._list.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, RecursionError) as error:
            raise BadInputError(
                f"Your list of models, {where}, cannot be read. Move it away and add the models "
                "again; their files are not touched by that."
            ) from error
        models = content.get("model") if isinstance(content, dict) else None
        return parse_entries(models, where)

    def add(
        self,
        path: Path,
        name: str,
        listed: Entry | None,
        progress: Progress = lambda _read: None,
    ) -> Entry:
        """Takes a model file in: checks it, links or copies it, hashes it, lists it.

        Args:
            path: the file; it stays where it is.
            name: what it is to be called.
            listed: the catalogue's entry of that name, if there is one; it tells licence and use.
            progress: called with the bytes read since the last call.

        Raises:
            UsageError: the name cannot be used or is taken.
            BadInputError: the file is no sound model.
            CheckError: the catalogue knows another hash for that name.
            ResourceError: the disk is full or cannot be written.
        """
        if not NAME.fullmatch(name):
            raise UsageError(
                f"“{one_line(name, 60)}” cannot be a model's name. Use small letters, digits, "
                "dots, dashes and underscores, at most 64."
            )
        self._check_free(name)
        header = read_header(path)
        target = self.folder / f"{name}.gguf"
        with ExitStack() as held:
            with arriving(target) as place:
                _take(path, place)
                sha256 = sha256_of(place, progress)
                if listed and listed.sha256 not in ("", sha256):
                    raise CheckError(
                        f"The file is not the “{name}” of the catalogue: its SHA-256 differs. "
                        "Get it again, or add it under another --name."
                    )
                held.enter_context(alone(self._list))  # until the file is there and listed
                self._check_free(name)
            self._checked.remember(target, sha256, Stamp.of(target))
            entry = _entry(name, target.name, sha256, header, listed)
            self._save((*self.entries(), entry))
        return entry

    def _check_free(self, name: str) -> None:
        if any(entry.name == name for entry in self.entries()):
            raise UsageError(f"There is a model “{name}” already. Choose another --name.")

    def _save(self, entries: tuple[Entry, ...]) -> None:
        tables = [dataclasses.asdict(entry) for entry in entries]
        text = json.dumps({"model": tables}, indent=1, ensure_ascii=False)
        write_whole(self._list, text.encode("utf-8", "replace"))


def _take(path: Path, place: Path) -> None:
    """A hard link where that is possible (no space, no time), else a copy."""
    source = path.resolve()
    try:
        os.link(source, place)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        _copy(source, place)


def _copy(source: Path, place: Path) -> None:
    needed = source.stat().st_size
    free = shutil.disk_usage(place.parent).free
    if free < needed:
        raise ResourceError(
            f"A copy of the model needs {needed / 1e9:.1f} GB, and the disk of "
            f"{one_line(str(place.parent))} has {free / 1e9:.1f} GB left. Make room first."
        )
    shutil.copyfile(source, place)


def _entry(name: str, file: str, sha256: str, header: Header, listed: Entry | None) -> Entry:
    """What the file itself tells, with the catalogue's words where it has some."""
    told = provenance(header)
    context = header.setting("context_length")
    found = Entry(
        name=name,
        file=file,
        sha256=sha256,
        bytes=header.file_bytes,
        licence=listed.licence if listed else told.get("license", "not stated"),
        source=listed.source if listed else told.get("source.huggingface.repository", "your own"),
        context=context if isinstance(context, int) else 1,
        good_for=listed.good_for if listed else "",
        not_good_for=listed.not_good_for if listed else "",
        parameters=parameters(header),
        memory=estimate(header, EngineSettings(mmap=False), 2048).total,
    )
    if listed is None:
        return found
    return dataclasses.replace(found, boards=listed.boards, demonstration=listed.demonstration)
