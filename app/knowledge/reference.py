"""The reference on the board: what other rooms use of this one."""

from __future__ import annotations

import datetime
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from app.errors import BadInputError, ResourceError, UsageError
from app.knowledge import index
from app.knowledge.cards import SHIPPED
from app.knowledge.kept import KeptDocuments
from app.knowledge.passage import Document, Passage
from app.knowledge.ranking import Ranking
from app.knowledge.readers.labels import Labels
from app.knowledge.readers.read import read_document
from app.knowledge.schema import connect, facts_of
from app.knowledge.scoring import Ranked
from app.knowledge.shipped import ID as CARDS
from app.knowledge.shipped import cards_as_source, cards_fingerprint
from app.knowledge.thesaurus import shipped_thesaurus
from app.sanitise import one_line

FILE = "reference.db"

_T = TypeVar("_T")


class Reference:
    """The cards and the added documents, and the index that finds passages in them.

    Nothing is read before the first use; the index is built then where it is missing, of another
    version, damaged, or behind its documents (the cards alone take about a second). An instance
    may move between threads, but only one may use it at a time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cards: Path = SHIPPED,
        tell: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Names the places.

        Args:
            folder: the user's data folder; it holds `reference.db` and `documents/`.
            cards: the shipped cards.
            tell: gets a sentence when an index had to be made again, or a document left out.
        """
        self._path = folder / FILE
        self._cards = cards
        self._kept = KeptDocuments(folder / "documents")
        self._tell = tell
        self._connection: sqlite3.Connection | None = None
        self._ranking: Ranking | None = None

    def prepare(self) -> None:
        """Open the index, or build it, and read thesaurus and habits. Raises as `search` does."""
        self.search("")

    def search(
        self, question: str, limit: int = 3, *, earlier: Sequence[str] = ()
    ) -> list[Passage]:
        """The passages that fit a question best, best first.

        Args:
            question: as it was typed; no part of it is read as a query language.
            limit: how many at most.
            earlier: the questions before it in the same conversation, the latest last; a
                question that goes on with them ("is it contagious?") is searched in their light.

        Returns:
            An empty list where no passage is good enough: the answer then rests on the model
            alone, and the screen says so.

        Raises:
            BadInputError: a card is damaged.
            ResourceError: the index cannot be written or read.
        """
        return self._try(lambda connection: self._search(connection, question, earlier, limit))

    def documents(self) -> list[Document]:
        """What the reference holds, the cards first. Raises as `search` does."""
        query = "SELECT * FROM document ORDER BY id != ?, added, id"
        rows = self._try(lambda connection: connection.execute(query, (CARDS,)).fetchall())
        return [Document(*row) for row in rows]

    def add(self, path: Path, labels: Labels | None = None) -> Document:
        """Reads a document or a folder of them and takes it in.

        Raises:
            UsageError: a document of that title is there, or the reader is not installed.
            BadInputError: the document cannot be read, is too large, hostile or empty.
            ResourceError: the disk is full or cannot be written.
        """
        draft = read_document(path, labels or Labels())
        document = Document(
            id=_id(draft.labels.title),
            title=draft.labels.title,
            source=draft.labels.source,
            licence=draft.labels.licence,
            added=datetime.date.today().isoformat(),
            entries=len(draft.entries),
        )
        if document.id in {CARDS, *self._kept.ids()}:
            raise UsageError(
                f"There is a document “{document.id}” already. Remove it first with `bedside "
                f"knowledge remove {document.id}`, or choose another --title."
            )
        self._try(lambda _connection: None)  # the index is up to date before the document comes
        self._kept.keep(document, draft.entries)
        source = (document, draft.entries)
        self._change(lambda connection: index.add(connection, source, self._facts()))
        return document

    def remove(self, id: str) -> None:
        """Takes an added document out, with the kept copy.

        Raises:
            UsageError: there is no added document of that id.
            ResourceError: the index cannot be written.
        """
        if id not in self._kept.ids():
            cannot = "belongs to Bedside" if id == CARDS else "is not in the reference"
            raise UsageError(
                f"“{one_line(id, 60)}” {cannot}. `bedside knowledge list` shows the documents."
            )
        self._try(lambda _connection: None)
        self._kept.remove(id)
        self._change(lambda connection: index.remove(connection, id, self._facts()))

    def close(self) -> None:
        """Lets go of the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._ranking = None

    def _search(
        self, connection: sqlite3.Connection, question: str, earlier: Sequence[str], limit: int
    ) -> list[Passage]:
        if self._ranking is None:
            self._ranking = Ranking(connection, shipped_thesaurus())
        good = (one for one in self._ranking.ranked(question, earlier) if one.good)
        return [_passage(connection, one) for one, _ in zip(good, range(limit), strict=False)]

    def _change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """One write to an index that was current before the documents changed."""
        assert self._connection is not None
        self._ranking = None
        try:
            with _told(self._path):
                change(self._connection)
        except _DamagedError:
            self._build("damaged")

    def _try(self, use: Callable[[sqlite3.Connection], _T]) -> _T:
        """Uses the index; where it proves damaged, once more with one made anew."""
        try:
            with _told(self._path):
                return use(self._current())
        except _DamagedError:
            return use(self._build("damaged"))

    def _current(self) -> sqlite3.Connection:
        """The open index, built first where it is not that of the present documents."""
        if self._connection is not None:
            return self._connection
        if not self._path.exists():
            return self._build("")
        stated = facts_of(self._path)
        if stated is None:
            return self._build("of another version")
        if any(stated.get(name) != value for name, value in self._facts().items()):
            return self._build("")
        self._connection = connect(self._path)
        return self._connection

    def _build(self, reason: str) -> sqlite3.Connection:
        self.close()
        sources = [cards_as_source(self._cards), *self._readable()]
        try:
            with _told(self._path):
                index.build(self._path, sources, self._facts())
        except _DamagedError as error:
            raise ResourceError(
                f"This Python's SQLite {sqlite3.sqlite_version} cannot make the index of the "
                "reference. Bedside needs SQLite 3.34 or newer with FTS5."
            ) from error
        if reason:
            self._tell(f"The index of the reference was {reason}; it has been built again.")
        self._connection = connect(self._path)
        return self._connection

    def _readable(self) -> Iterator[index.Source]:
        """The added documents; a damaged one is told and left out, and the rest still serves."""
        for id in self._kept.ids():
            try:
                yield self._kept.read(id)
            except BadInputError as error:
                self._tell(str(error))

    def _facts(self) -> Mapping[str, str]:
        """What the index is made from."""
        return {
            "cards": cards_fingerprint(self._cards),
            "documents": self._kept.fingerprint(),
        }


class _DamagedError(Exception):
    """The index is no sound database."""


_OF_THE_DISK = ("locked", "readonly", "disk", "full", "unable to open")
"""Words of SQLite's messages that do not speak of damage. Python 3.10 hands no error codes on."""


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors as damage, or as a sentence about the disk."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        message = str(error)
        if "malformed" in message or not any(word in message for word in _OF_THE_DISK):
            raise _DamagedError from error
        raise ResourceError(
            f"The index of the reference in {one_line(str(path.parent))} cannot be used "
            f"({one_line(message, 80)}). Check the disk's space and permissions, and whether "
            "another Bedside is adding a document."
        ) from error


def _passage(connection: sqlite3.Connection, ranked: Ranked) -> Passage:
    row = connection.execute(
        "SELECT passage.id, passage.title, passage.source, url, date, licence, text, reviewed_by "
        "FROM passage JOIN document ON document.id = passage.document WHERE passage.id = ?",
        (ranked.id,),
    ).fetchone()
    number, title, source, url, date, licence, text, reviewed_by = row
    return Passage(
        number, title, source, url, date, licence, text, ranked.score, reviewed_by=reviewed_by
    )


def _id(title: str) -> str:
    """A name that can be typed, made from a title."""
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:48] or "document"
