"""Bedside's own cards as entries of the index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from app.knowledge.cards import Card, load_cards
from app.knowledge.index import Source
from app.knowledge.passage import Document, Entry

ID = "bedside-cards"
"""The document that the cards are; it is always there and cannot be removed."""

_KINDS = {
    "What it is": "information",
    "What you can do": "treatment",
    "Get help now if": "urgency",
    "See someone soon if": "urgency",
}


def cards_as_source(folder: Path) -> Source:
    """All cards, an entry a section. Raises BadInputError where a card is not as it should be."""
    entries = tuple(entry for card in load_cards(folder) for entry in _of_card(card))
    written = max(entry.date for entry in entries)
    document = Document(ID, "Bedside's reference cards", "Bedside", "Apache-2.0", written, 0)
    return _counted(document, entries)


def cards_fingerprint(folder: Path) -> str:
    """Another one whenever a card changed; of the content, since an update keeps no times."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.md")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _of_card(card: Card) -> Iterator[Entry]:
    source = "; ".join(one.title for one in card.sources)
    for heading, text in card.sections.items():
        yield Entry(
            topic=card.title,
            kind=_KINDS[heading],
            heading=heading[0].lower() + heading[1:],
            text=text,
            also=card.also,
            source=f"Bedside card after {source}",
            url=card.sources[0].url,
            date=card.written.isoformat(),
            reviewed_by=card.reviewed_by,
        )


def _counted(document: Document, entries: tuple[Entry, ...]) -> Source:
    import dataclasses

    return dataclasses.replace(document, entries=len(entries)), entries
