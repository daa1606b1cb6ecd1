"""The documents that were added, kept as they were read, apart from the index.

The index can be made again from them at any time, so neither a damaged index nor one of another
version costs a person anything.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import zlib
from pathlib import Path

from app.errors import BadInputError, ResourceError
from app.files import write_whole
from app.knowledge.index import Source
from app.knowledge.passage import Document, Entry

SCHEMA = 1
_ENDING = ".jsonl.gz"


class KeptDocuments:
    """The folder of them: a gzip file of JSON lines each, the document's labels on the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ids(self) -> list[str]:
        """Of all documents, sorted."""
        return sorted(path.name.removesuffix(_ENDING) for path in self._files())

    def fingerprint(self) -> str:
        """Another one whenever a document came or went, or was replaced."""
        facts = (f"{path.name} {path.stat().st_size}" for path in sorted(self._files()))
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def keep(self, document: Document, entries: tuple[Entry, ...]) -> None:
        """Writes a document, whole or not at all. Raises ResourceError."""
        head = {"schema": SCHEMA, **dataclasses.asdict(document)}
        lines = [head, *(dataclasses.asdict(entry) for entry in entries)]
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
        packed = gzip.compress(text.encode("utf-8", "replace"), compresslevel=6, mtime=0)
        write_whole(self._path(document.id), packed)

    def read(self, id: str) -> Source:
        """A document with its entries.

        Raises:
            BadInputError: its file is damaged, or was written by a newer Bedside.
        """
        try:
            head, *lines = gzip.decompress(self._path(id).read_bytes()).decode().split("\n")
            labels = json.loads(head)
            if labels.pop("schema") > SCHEMA:
                raise BadInputError(
                    f"The document “{id}” was added by a newer Bedside. Update this one, or "
                    f"remove it with `bedside knowledge remove {id}`."
                )
            entries = tuple(_entry(line) for line in lines)
            return Document(**labels), entries
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError,
                RecursionError) as error:  # fmt: skip
            raise BadInputError(
                f"The kept copy of the document “{id}” is damaged. Remove it with "
                f"`bedside knowledge remove {id}`, then add the document again."
            ) from error

    def remove(self, id: str) -> None:
        """Deletes a document's file. Raises ResourceError where that is not allowed."""
        try:
            self._path(id).unlink(missing_ok=True)
        except OSError as error:
            raise ResourceError(
                f"The document “{id}” cannot be removed ({error.strerror}). Check the permissions "
                "of Bedside's data folder."
            ) from error

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}{_ENDING}"

    def _files(self) -> list[Path]:
        return list(self._folder.glob(f"[!.]*{_ENDING}"))


def _entry(line: str) -> Entry:
    fields = json.loads(line)
    return Entry(**{**fields, "also": tuple(fields["also"])})
