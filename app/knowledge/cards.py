"""Reference cards: short entries in plain language, each resting on sources that it names.

A card is Markdown under a TOML head between `+++` lines. The reader is strict, since a card that
is read half is worse than one that is refused: a lost "Get help now if" cannot be seen missing.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from app.errors import BadInputError
from app.sanitise import clean, one_line
from app.toml_file import parse_toml, read_written

SHIPPED = Path(__file__).parent / "cards"
"""The folder of Bedside's own cards."""

SECTIONS = ("What it is", "What you can do", "Get help now if", "See someone soon if")
"""The headings of every card, in the order in which a worried reader needs them."""

NOT_REVIEWED = "none"
"""`reviewed_by` until a clinician has read the card; the screen says so."""

_FENCE = "+++"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_URL = re.compile(r"https?://[!-~]+")
_HEAD_KEYS = frozenset({"id", "title", "also", "sources", "written", "reviewed_by"})
_SOURCE_KEYS = frozenset({"title", "url"})


@dataclass(frozen=True, slots=True)
class Source:
    """What a card leans on."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One entry of the reference."""

    id: str
    """The name of its file without `.md`."""
    title: str
    also: tuple[str, ...]
    """What people call it, in lay words; this feeds the search."""
    sources: tuple[Source, ...]
    written: datetime.date
    reviewed_by: str
    """A clinician's name, or `NOT_REVIEWED`."""
    sections: Mapping[str, str]
    """Markdown by heading, in the order of `SECTIONS`."""


def load_cards(folder: Path) -> tuple[Card, ...]:
    """The cards of a folder (`*.md`), by id.

    Raises:
        BadInputError: the folder holds no cards, or one of them is not as it should be.
    """
    files = sorted(folder.glob("*.md"))
    if not files:
        raise BadInputError(
            f"The folder {one_line(str(folder))} holds no cards. Check its name, or install "
            "Bedside again."
        )
    return tuple(parse_card(read_written(file), file.stem) for file in files)


def parse_card(text: str, name: str) -> Card:
    """The card that a file holds.

    Args:
        text: the whole file.
        name: the file's name without `.md`: what the card's id must be.

    Raises:
        BadInputError: the card is not as it should be; the sentence names it and the place.
    """
    where = f"The card {one_line(name)}"
    text = text.replace("\r\n", "\n")
    if clean(text) != text:
        raise BadInputError(f"{where} holds control characters. Remove them.")
    head, body = _parted(text, where)
    table = parse_toml(head, f"{name}.md")
    _check_keys(table, _HEAD_KEYS, where)
    return Card(
        id=_id(table, name, where),
        title=_line(table, "title", where),
        also=_also(table["also"], where),
        sources=_sources(table["sources"], where),
        written=_date(table["written"], where),
        reviewed_by=_line(table, "reviewed_by", where),
        sections=_sections(body, where),
    )


def _parted(text: str, where: str) -> tuple[str, str]:
    """The TOML head and the Markdown body."""
    lines = text.split("\n")
    if lines[0] != _FENCE or _FENCE not in lines[1:]:
        raise BadInputError(f"{where} has no head between two lines of {_FENCE}. Add it on top.")
    end = lines.index(_FENCE, 1)
    return "\n".join(lines[1:end]), "\n".join(lines[end + 1 :])


def _check_keys(table: Mapping[str, object], wanted: frozenset[str], where: str) -> None:
    if missing := sorted(wanted - table.keys()):
        raise BadInputError(f"{where} lacks {', '.join(missing)}. Add it to the head.")
    if unknown := sorted(table.keys() - wanted):
        raise BadInputError(
            f"{where} has a key that no card has: {one_line(', '.join(unknown))}. Remove it."
        )


def _id(table: Mapping[str, object], name: str, where: str) -> str:
    found = _line(table, "id", where)
    if not _ID.fullmatch(found):
        raise BadInputError(
            f"{where} has the id {one_line(found)}. Use small letters, digits and hyphens."
        )
    if found != name:
        raise BadInputError(
            f"{where} has the id {one_line(found)}. Give the file and the id the same name."
        )
    return found


def _line(table: Mapping[str, object], key: str, where: str) -> str:
    """One line of text that says something."""
    value = table[key]
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise BadInputError(f"{where} has no line of text as its {key}. Write one in quotes.")
    return value.strip()


def _also(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadInputError(f"{where} lists no other names under also. Write what people call it.")
    names = tuple(_line({"also": each}, "also", where) for each in value)
    if len({each.casefold() for each in names}) < len(names):
        raise BadInputError(f"{where} lists a name twice under also. Keep one of the two.")
    return names


def _sources(value: object, where: str) -> tuple[Source, ...]:
    if not isinstance(value, list) or not value:
        raise BadInputError(f"{where} names no source. Add what it rests on under [[sources]].")
    return tuple(_source(each, where) for each in value)


def _source(table: object, where: str) -> Source:
    if not isinstance(table, dict):
        raise BadInputError(f"{where} has a source that is no table. Write it as [[sources]].")
    _check_keys(table, _SOURCE_KEYS, f"{where}, in a source,")
    url = _line(table, "url", where)
    if not _URL.fullmatch(url):
        raise BadInputError(
            f"{where} has a source whose url is no web address: {one_line(url)}. Write it out."
        )
    return Source(title=_line(table, "title", where), url=url)


def _date(value: object, where: str) -> datetime.date:
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise BadInputError(f"{where} has no date as written. Write it as 2026-11-20, unquoted.")
    return value


def _sections(body: str, where: str) -> Mapping[str, str]:
    sections = list(_split(body, where))
    if tuple(heading for heading, _ in sections) != SECTIONS:
        raise BadInputError(
            f"{where} must have these sections once each, in this order: {', '.join(SECTIONS)}."
        )
    for heading, text in sections:
        if not text:
            raise BadInputError(f"{where} says nothing under “{heading}”. Write it.")
    return MappingProxyType(dict(sections))


def _split(body: str, where: str) -> Iterator[tuple[str, str]]:
    """Each heading of the second level with the text below it."""
    before, *parts = re.split(r"^(?=#)", body, flags=re.MULTILINE)
    if before.strip():
        raise BadInputError(f"{where} has text before its first section. Move it into one.")
    for part in parts:
        line, _, text = part.partition("\n")
        if not line.startswith("## "):
            raise BadInputError(
                f"{where} has a line that begins with # and is no section: {one_line(line)}. "
                f"Sections begin with ##."
            )
        yield line.removeprefix("## ").strip(), text.strip()
