"""Writing the index: whole, or one document more or less.

Every write is one transaction of SQLite, or a new file that takes the old one's place, so a
search sees the index before or after it and never between.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path

from app.files import arriving
from app.knowledge.passage import Document, Entry
from app.knowledge.schema import FIELDS, TABLES, VERSION, connect
from app.knowledge.words import term, words

Source = tuple[Document, Iterable[Entry]]

_SPELT_FROM, _SPELT_TO = 4, 24
"""Letters of words that a misspelt one may be corrected to."""


def build(path: Path, sources: Iterable[Source], facts: Mapping[str, str]) -> None:
    """Makes a new index in the place of whatever stands at `path`.

    Raises:
        ResourceError: the disk is full or cannot be written.
        BadInputError: a source is damaged; `path` is then as it was.
    """
    with arriving(path) as place:
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(connect(place)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # a torn file never gets the name
            connection.execute("PRAGMA synchronous = OFF")
            connection.executescript(TABLES)
            with _writing(connection):
                for document, entries in sources:
                    _insert(connection, document, entries)
                _state(connection, facts)
            connection.execute("INSERT INTO search(search) VALUES ('optimize')")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def add(connection: sqlite3.Connection, source: Source, facts: Mapping[str, str]) -> None:
    """Takes one document into an index."""
    with _writing(connection):
        _insert(connection, *source)
        _state(connection, facts)


def remove(connection: sqlite3.Connection, document: str, facts: Mapping[str, str]) -> None:
    """Takes one document, by id, out of an index."""
    with _writing(connection):
        _state(connection, facts)
        found = connection.execute("SELECT id FROM passage WHERE document = ?", (document,))
        for (number,) in found.fetchall():
            _forget(connection, number)
        connection.execute("DELETE FROM document WHERE id = ?", (document,))


def _insert(connection: sqlite3.Connection, document: Document, entries: Iterable[Entry]) -> None:
    """Entries of a kind are ranked together with their topic's; a piece of prose stands alone."""
    connection.execute(
        "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?)",
        (document.id, document.title, document.source, document.licence, document.added,
         document.entries),
    )  # fmt: skip
    for entry in entries:
        fields = [words(text) for text in _fields(entry)]
        indexed = [" ".join(map(term, field)) for field in fields]
        stored = connection.execute(
            "INSERT INTO passage"
            "(document, names, kind, title, source, url, date, reviewed_by, text) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.id, " ".join(entry.also), entry.kind, entry.title,
             entry.source or document.source, entry.url, entry.date, entry.reviewed_by, entry.text),
        )  # fmt: skip
        number = stored.lastrowid
        topic = indexed[0] if entry.kind else f"{indexed[0]} #{number}"
        connection.execute("UPDATE passage SET topic = ? WHERE id = ?", (topic, number))
        connection.execute(
            "INSERT INTO search(rowid, topic, also, kind, body) VALUES (?, ?, ?, ?, ?)",
            (number, *indexed),
        )
        _count(connection, fields, 1)


def _fields(entry: Entry) -> tuple[str, str, str, str]:
    return entry.topic, " ".join(entry.also), f"{entry.kind} {entry.heading}", entry.text


def _count(connection: sqlite3.Connection, fields: list[list[str]], step: int) -> None:
    """Notes how often each word stands in the index, for the spelling."""
    connection.executemany(
        "INSERT INTO word VALUES (?1, ?2 * ?3) "
        "ON CONFLICT(word) DO UPDATE SET count = count + ?2 * ?3",
        ((word, number, step) for word, number in Counter(chain(*fields)).items()),
    )


def _forget(connection: sqlite3.Connection, number: int) -> None:
    """Takes one passage out, with the words that it brought.

    A title holds the words of topic and heading, so these four are what `_fields` made of it.
    """
    found = connection.execute(
        "SELECT title, names, kind, text FROM passage WHERE id = ?", (number,)
    ).fetchone()
    _count(connection, [words(field) for field in found], -1)
    connection.execute("DELETE FROM search WHERE rowid = ?", (number,))
    connection.execute("DELETE FROM passage WHERE id = ?", (number,))


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction; the tables that follow from the passages are made at its end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        _derive(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _derive(connection: sqlite3.Connection) -> None:
    """The spelling's list of words, and the mean lengths that the ranking needs."""
    connection.execute("DELETE FROM word WHERE count <= 0")
    connection.execute("DELETE FROM spelling")
    connection.execute(
        "INSERT INTO spelling(word) SELECT '^' || word || '$' FROM word "
        f"WHERE length(word) BETWEEN {_SPELT_FROM} AND {_SPELT_TO} "
        "AND word NOT GLOB '*[0-9]*'"
    )
    (passages,) = connection.execute("SELECT count(*) FROM passage").fetchone()
    lengths = ", ".join(f"sum({_LENGTH.format(field)})" for field in FIELDS)
    totals = connection.execute(f"SELECT {lengths} FROM search").fetchone()
    means = {
        field: (total or 0) / max(passages, 1) for field, total in zip(FIELDS, totals, strict=True)
    }
    _state(connection, {"passages": str(passages)})
    _state(connection, {f"mean {field}": repr(mean) for field, mean in means.items()})


def _state(connection: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", facts.items())


_LENGTH = "CASE {0} WHEN '' THEN 0 ELSE length({0}) - length(replace({0}, ' ', '')) + 1 END"
"""How many terms stand in a field."""
