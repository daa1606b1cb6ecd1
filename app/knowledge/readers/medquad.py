"""MedQuAD (Ben Abacha and Demner-Fushman, BMC Bioinformatics 2019): its XML, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.parsers import expat

from app.errors import BadInputError
from app.knowledge.passage import Entry
from app.knowledge.question import KINDS
from app.knowledge.readers.labels import Labels
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


def json_entries(text: str, path: Path, labels: Labels) -> Iterator[Entry]:
    """The entries of JSON lines: an object a line with focus (or title), answer (or text), and,
    where known, qtype (or kind), source, url and date. An empty answer is passed over: MedQuAD
    holds some.

    Raises:
        BadInputError: a line is not of that form; the sentence tells which.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield from _of_row(_row(line, f"{shown(path)}, line {number},"), labels, ())


def _row(line: str, where: str) -> Mapping[str, str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{where} is no JSON. Correct that line.") from error
    if not isinstance(found, dict):
        raise BadInputError(f"{where} is no JSON object. Write one object a line.")
    row = {key: value for key, value in found.items() if isinstance(value, str)}
    row.setdefault("qtype", row.get("kind", ""))
    if "text" in row:
        row.setdefault("answer", row["text"])
    if not {"focus", "title"} & row.keys() or "answer" not in row:
        raise BadInputError(
            f"{where} lacks a focus (or title) or an answer (or text). Add what is missing."
        )
    row.setdefault("focus", row.get("title", ""))
    return row


def _of_row(row: Mapping[str, str], labels: Labels, also: tuple[str, ...]) -> Iterator[Entry]:
    kind = row["qtype"].strip().casefold()
    answer = clean(row["answer"]).strip()
    for text in pieces(answer) if len(answer) > _LONGEST else [answer]:
        if text:
            yield Entry(
                topic=one_line(row["focus"]) or one_line(row.get("question", "")) or labels.title,
                kind=kind if kind in KINDS else "",
                heading=one_line(kind, 60),
                text=text,
                also=also,
                source=labels.source or one_line(row.get("source", "")),
                url=one_line(row.get("url", "")) or labels.url,
                date=one_line(row.get("date", ""), 10) or labels.date,
            )
