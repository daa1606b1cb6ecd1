"""Texts that a model is measured on: plain, JSON lines or either in gzip, each known by its hash."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextSource:
    """A file of text, as plans and saliency files remember it."""

    path: str
    """As the person named it."""
    sha256: str
    """Of the file's bytes, compressed where it is compressed."""
    field: str | None = None
    """The field of its JSON lines that was read; None where it was found without being named."""

    def record(self) -> dict[str, str]:
        """Its form in JSON files."""
        named = {} if self.field is None else {"field": self.field}
        return {"path": self.path, "sha256": self.sha256, **named}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a document."""

    text: str
    special: bool = False
    """Whether tokens of the template (`<|im_start|>`) written in it count as such."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text that stands for itself: a file of plain text, or a row of JSON lines."""

    source: TextSource
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(piece.text for piece in self.pieces)
