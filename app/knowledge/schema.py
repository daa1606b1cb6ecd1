"""The tables of `reference.db`, and what the file may be when it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

VERSION = 2
"""Kept in `user_version`. An index of another version is built anew: its documents are kept
apart from it, so nothing is lost."""

FIELDS = ("topic", "also", "kind", "body")
"""The indexed columns, each holding terms with spaces between (`words.terms`)."""

TABLES = """
CREATE TABLE document(
    id TEXT PRIMARY KEY, title TEXT, source TEXT, licence TEXT, added TEXT, entries INTEGER
);
CREATE TABLE passage(
    id INTEGER PRIMARY KEY, document TEXT, topic TEXT, names TEXT, kind TEXT,
    title TEXT, source TEXT, url TEXT, date TEXT, reviewed_by TEXT, text TEXT
);
CREATE INDEX passage_topic ON passage(topic);
CREATE INDEX passage_document ON passage(document);
CREATE VIRTUAL TABLE search USING fts5(topic, also, kind, body, tokenize = "unicode61");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(search, 'row');
CREATE VIRTUAL TABLE vocabulary_of_fields USING fts5vocab(search, 'col');
CREATE TABLE word(word TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
CREATE VIRTUAL TABLE spelling USING fts5(word, tokenize = "trigram", detail = none);
CREATE TABLE fact(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


PATIENCE_S = 5.0
"""How long another Bedside that is writing is waited for."""


def connect(path: Path) -> sqlite3.Connection:
    """Opens an index for reading and writing; it is not looked at yet.

    The connection may move between threads, but only one may use it at a time.
    """
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=PATIENCE_S
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def facts_of(path: Path) -> Mapping[str, str] | None:
    """What an index says of itself; None where it is of another version, or no file.

    Raises:
        sqlite3.DatabaseError: it is damaged as far as its first pages tell, or cannot be read now.
    """
    if not path.is_file():
        return None
    with closing(connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            return None
        connection.execute("SELECT rowid FROM search LIMIT 1").fetchall()
        return dict(connection.execute("SELECT name, value FROM fact").fetchall())
