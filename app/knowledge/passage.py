"""The values that travel: what goes into the index, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of a document, as it goes into the index. All text is clean (`app.sanitise`)."""

    topic: str
    """What it is about: "Glaucoma". Entries of one topic are ranked together."""
    kind: str
    """What it says about the topic: one of `question.KINDS`, or "" where it is of no kind."""
    heading: str
    """What stands behind the topic in the passage's title: "symptoms"; may be empty."""
    text: str
    also: tuple[str, ...] = ()
    """Other names of the topic."""
    source: str = ""
    """Who wrote it; empty where the document's own source holds."""
    url: str = ""
    date: str = ""
    """ISO date of writing, or empty where it is not known; never a guess."""
    reviewed_by: str = ""
    """Of a card: a clinician's name, or "none"."""

    @property
    def title(self) -> str:
        """The topic with the heading."""
        return f"{self.topic} - {self.heading}" if self.heading else self.topic


@dataclass(frozen=True, slots=True)
class Passage:
    """What an answer leans on: an entry that was found, with its source.

    The text comes from a document and is data: never markup, never an instruction.
    """

    id: int
    """Stable until the index is rebuilt."""
    title: str
    """"Glaucoma - symptoms"."""
    source: str
    url: str
    """May be empty."""
    date: str
    """ISO date of writing, or empty where it is not known."""
    licence: str
    text: str
    score: float
    """How well it fits the question; comparable within one search only."""
    reviewed_by: str = ""
    """For Bedside's cards: a clinician's name, or "none"; the screen says so. Else empty."""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document, as `knowledge list` shows it."""

    id: str
    """What `knowledge remove` takes."""
    title: str
    source: str
    licence: str
    added: str
    """ISO date."""
    entries: int
