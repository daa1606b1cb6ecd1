"""MedQuAD (Ben Abacha and Demner-Fushman, BMC Bioinformatics 2019): its XML, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.parsers import expat

from app.errors import BadInputError
from app.knowledge.passage import Entry
from app.knowledge.question import KINDS
from app.knowledge.readers.labels import Labels, is_date
from app.knowledge.readers.prose import pieces
from app.knowledge.readers.text import shown
from app.sanitise import clean, one_line

LICENCE = "CC BY 4.0"
TITLE = "MedQuAD"

_LONGEST = 30_000
"""Characters of one answer; a longer one is cut into pieces."""
_DEEPEST = 40
"""Elements within one another; MedQuAD has five."""
_TAKEN = {"Focus", "Synonym", "Answer"}
_KEYS = {"answer", "focus", "qtype", "question", "source", "url"}
"""Of each line, where MedQuAD is written as JSON."""

Row = Mapping[str, str]


class _Collector:
    """Collects the text of the elements that are wanted, as expat meets them."""

    def __init__(self, where: str, labels: Labels) -> None:
        self.entries: list[Entry] = []
        self.recognised = False
        self._where, self._labels = where, labels
        self._depth = 0
        self._attributes: Mapping[str, str] = {}
        self._kind = ""
        self._focus = ""
        self._also: list[str] = []
        self._held: list[str] | None = None

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadInputError(f"{self._where} is nested too deep for MedQuAD. Check the file.")
        if name == "Document":
            self.recognised, self._attributes = True, attributes
        elif name == "Question":
            self._kind = attributes.get("qtype", "")
        if name in _TAKEN:
            self._held = []

    def text(self, piece: str) -> None:
        if self._held is not None:
            self._held.append(piece)

    def end(self, name: str) -> None:
        self._depth -= 1
        if name not in _TAKEN or self._held is None:
            return
        text, self._held = "".join(self._held).strip(), None
        if name == "Focus":
            self._focus = text
        elif name == "Synonym":
            self._also.append(text)
        elif text:
            row = {
                "focus": self._focus,
                "qtype": self._kind,
                "answer": text,
                "source": self._attributes.get("source", ""),
                "url": self._attributes.get("url", ""),
            }
            self.entries.extend(_of_row(row, self._labels, tuple(map(one_line, self._also))))


def xml_entries(content: bytes, path: Path, labels: Labels) -> list[Entry]:
    """The answers of one MedQuAD document.

    A document type declaration is refused, and with it every entity that could grow without end
    ("billion laughs") or read another file; MedQuAD has none.

    Raises:
        BadInputError: the XML is broken, declares entities, or is not MedQuAD's.
    """
    where = shown(path)
    collector = _Collector(where, labels)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = collector.begin
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text

    def refuse(*_declaration: object) -> None:
        raise BadInputError(
            f"{where} declares a document type, which can hide an attack, and MedQuAD needs none. "
            "Get the file from its source."
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise BadInputError(
            f"{where} is no sound XML ({one_line(str(error), 80)}). Get it again."
        ) from error
    if not collector.recognised:
        raise BadInputError(
            f"{where} is XML, but not MedQuAD's: it has no Document element. Turn it into "
            "Markdown or text first."
        )
    return collector.entries


def json_rows(text: str, path: Path) -> list[Row]:
    """The rows of JSON lines: an object a line with focus (or title), answer (or text), and,
    where known, qtype (or kind), source, url and date.

    Raises:
        BadInputError: a line is not of that form; the sentence tells which.
    """
    return [
        _row(line, f"{shown(path)}, line {number},")
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]


def is_medquad(rows: Sequence[Row]) -> bool:
    """Whether every row has all the keys of MedQuAD's, which alone may bear its licence."""
    return all(row.keys() >= _KEYS for row in rows)


def json_entries(rows: Sequence[Row], labels: Labels) -> Iterator[Entry]:
    """The entries of such rows. An empty answer is passed over: MedQuAD holds some."""
    for row in rows:
        yield from _of_row(row, labels, ())


def _row(line: str, where: str) -> Row:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{where} is no JSON. Correct that line.") from error
    if not isinstance(found, dict):
        raise BadInputError(f"{where} is no JSON object. Write one object a line.")
    row = {key: value for key, value in found.items() if isinstance(value, str)}
    if not {"focus", "title"} & row.keys() or not {"answer", "text"} & row.keys():
        raise BadInputError(
            f"{where} lacks a focus (or title) or an answer (or text). Add what is missing."
        )
    return row


def _of_row(row: Row, labels: Labels, also: tuple[str, ...]) -> Iterator[Entry]:
    focus = one_line(row.get("focus", row.get("title", "")))
    kind = row.get("qtype", row.get("kind", "")).strip().casefold()
    answer = clean(row.get("answer", row.get("text", ""))).strip()
    date = row.get("date", "").strip()
    for text in pieces(answer) if len(answer) > _LONGEST else [answer]:
        if text:
            yield Entry(
                topic=focus or one_line(row.get("question", "")) or labels.title,
                kind=kind if kind in KINDS else "",
                heading=one_line(kind, 60),
                text=text,
                also=also,
                source=labels.source or one_line(row.get("source", "")),
                url=one_line(row.get("url", "")) or labels.url,
                date=date if is_date(date) else labels.date,
            )
