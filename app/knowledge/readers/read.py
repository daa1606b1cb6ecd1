"""Which reader a file is for, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISDIR

from app.errors import BadInputError
from app.knowledge.passage import Entry
from app.knowledge.readers import medquad, prose
from app.knowledge.readers.labels import NO_LICENCE, Labels
from app.knowledge.readers.pdf import read_pdf
from app.knowledge.readers.text import LARGEST, read_bytes, read_text, shown, too_large
from app.named_file import stat_of

_MOST_FILES = 50_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that was read and is not yet kept."""

    labels: Labels
    """Title, source and licence are filled in."""
    entries: tuple[Entry, ...]


def read_document(path: Path, labels: Labels) -> Draft:
    """Reads a file, or all files of a folder as one document.

    Args:
        path: Markdown (.md), text (.txt), MedQuAD's XML (.xml), JSON lines (.jsonl), PDF (.pdf);
            text forms also packed (.gz).
        labels: what the person said; it is preferred to what the document says.

    Raises:
        UsageError: the date is none, or a PDF cannot be read here.
        BadInputError: the file cannot be read, is too large, of no known form, or empty.
    """
    labels = labels.checked()
    stands = stat_of(path)
    is_folder = stands is not None and S_ISDIR(stands.st_mode)
    draft = _read_folder(path, labels) if is_folder else _read_file(path, labels)
    if not draft.entries:
        raise BadInputError(f"{shown(path)} holds no text that could be found again. Check it.")
    if sum(len(entry.text) for entry in draft.entries) > LARGEST:
        raise too_large(path)
    filled = draft.labels
    return replace(
        draft, labels=replace(filled, source=filled.source or filled.title,
                              licence=filled.licence or NO_LICENCE)
    )  # fmt: skip


def _read_folder(path: Path, labels: Labels) -> Draft:
    files = sorted(one for one in path.rglob("*") if _form(one) in _READERS and one.is_file())
    if not files:
        raise BadInputError(
            f"The folder {shown(path)} holds no file that can be read ({_FORMS}). Check its name."
        )
    if len(files) > _MOST_FILES:
        raise BadInputError(f"The folder {shown(path)} holds too many files. Add it in parts.")
    drafts = []
    length = 0
    for file in files:
        drafts.append(_read_file(file, labels))
        length += sum(len(entry.text) for entry in drafts[-1].entries)
        if length > LARGEST:
            raise too_large(path)
    licences = {draft.labels.licence for draft in drafts}
    filled = replace(
        labels,
        title=labels.title or prose.title_of(path),
        licence=licences.pop() if len(licences) == 1 else "",
    )
    return Draft(filled, tuple(entry for draft in drafts for entry in draft.entries))


def _read_file(path: Path, labels: Labels) -> Draft:
    if stat_of(path) is None:
        raise BadInputError(f"{shown(path)} does not exist. Check its name.")
    reader = _READERS.get(_form(path))
    if reader is None:
        raise BadInputError(
            f"{shown(path)} is of a form that Bedside does not read. It reads {_FORMS}."
        )
    return reader(path, labels)


def _form(path: Path) -> str:
    packed = path.suffix.lower() == ".gz"
    return Path(path.stem).suffix.lower() if packed else path.suffix.lower()


def _titled(labels: Labels, path: Path, title: str = "") -> Labels:
    return replace(labels, title=labels.title or title or prose.title_of(path))


def _drafted(labels: Labels, entries: Iterable[Entry] | Iterator[Entry]) -> Draft:
    return Draft(labels, tuple(entries))


def _markdown(path: Path, labels: Labels) -> Draft:
    text = read_text(path)
    labels = _titled(labels, path, prose.markdown_title(text))
    return _drafted(labels, prose.markdown_entries(text, labels))


def _plain(path: Path, labels: Labels) -> Draft:
    labels = _titled(labels, path)
    return _drafted(labels, prose.plain_entries(read_text(path), labels))


def _pdf(path: Path, labels: Labels) -> Draft:
    title, text = read_pdf(path)
    labels = _titled(labels, path, title)
    return _drafted(labels, prose.plain_entries(text, labels))


def _xml(path: Path, labels: Labels) -> Draft:
    labels = _medquad(_titled(labels, path))
    return _drafted(labels, medquad.xml_entries(read_bytes(path), path, labels))


def _json(path: Path, labels: Labels) -> Draft:
    rows = medquad.json_rows(read_text(path), path)
    labels = _titled(labels, path)
    labels = _medquad(labels) if medquad.is_medquad(rows) else labels
    return _drafted(labels, medquad.json_entries(rows, labels))


def _medquad(labels: Labels) -> Labels:
    return replace(labels, licence=labels.licence or medquad.LICENCE)


_FORMS = "Markdown (.md), text (.txt), MedQuAD XML (.xml), JSON lines (.jsonl) and PDF (.pdf)"
_READERS: dict[str, Callable[[Path, Labels], Draft]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _plain,
    ".xml": _xml,
    ".jsonl": _json,
    ".ndjson": _json,
    ".pdf": _pdf,
}
