"""Markdown and plain text, cut into pieces of about a page's paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from app.knowledge.passage import Entry
from app.knowledge.question import stated_kinds
from app.knowledge.readers.labels import Labels
from app.knowledge.sentences import sentences
from app.sanitise import clean, one_line

_PIECE = 1500
"""Characters: what a small context can hold two or three of, and what fits a screen."""
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_FENCE = re.compile(r"\s*(```|~~~)")
_PARAGRAPHS = re.compile(r"\n\s*\n")


def markdown_entries(text: str, labels: Labels) -> Iterator[Entry]:
    """One entry or more for each section; a heading of the first level is a topic."""
    topic, headings = labels.title, dict[int, str]()
    for level, heading, body in _sections(clean(text)):
        headings = {depth: name for depth, name in headings.items() if depth < level}
        if level == 1:
            topic = heading
        elif level:
            headings[level] = heading
        path = " - ".join(headings.values())
        kinds = sorted(stated_kinds(headings[max(headings)])) if headings else []
        kind = kinds[0] if len(kinds) == 1 else ""
        yield from _entries(body, topic, path, kind, labels)


def markdown_title(text: str) -> str:
    """The first heading of the first level, or nothing."""
    titles = (heading for level, heading, _ in _sections(clean(text)) if level == 1)
    return next(titles, "")


def plain_entries(text: str, labels: Labels) -> Iterator[Entry]:
    """The pieces of a text without headings."""
    return _entries(clean(text), labels.title, "", "", labels)


def title_of(path: Path) -> str:
    """A title made of a file's name: `wound_care.txt` is "Wound care"."""
    name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    words = one_line(re.sub(r"[\s_-]+", " ", name)).strip()
    return words[:1].upper() + words[1:] or "Document"


def pieces(text: str) -> Iterator[str]:
    """Whole paragraphs up to _PIECE characters, and parts of those that are longer."""
    held = ""
    for part in _parts(text):
        if held and len(held) + len(part) > _PIECE:
            yield held
            held = ""
        held = f"{held}\n\n{part}" if held else part
    if held:
        yield held


def _entries(body: str, topic: str, heading: str, kind: str, labels: Labels) -> Iterator[Entry]:
    for piece in pieces(body):
        yield Entry(topic, kind, heading, piece, url=labels.url, date=labels.date)


def _sections(text: str) -> Iterator[tuple[int, str, str]]:
    """Level and words of each heading with the text below it; level 0 is before the first."""
    level, heading, lines, fenced = 0, "", list[str](), False
    for line in text.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        found = None if fenced else _HEADING.fullmatch(line)
        if found is None:
            lines.append(line)
            continue
        yield level, heading, "\n".join(lines)
        level, heading, lines = len(found[1]), one_line(found[2], 120), []
    yield level, heading, "\n".join(lines)


def _parts(text: str) -> Iterator[str]:
    for paragraph in _PARAGRAPHS.split(text):
        if len(paragraph) <= _PIECE:
            if paragraph.strip():
                yield paragraph.strip()
            continue
        held = ""
        for sentence in sentences(paragraph):
            for start in range(0, len(sentence), _PIECE):
                cut = sentence[start : start + _PIECE]
                if held and len(held) + len(cut) > _PIECE:
                    yield held
                    held = ""
                held = f"{held} {cut}" if held else cut
        if held:
            yield held
