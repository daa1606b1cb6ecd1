"""The tables of `reference.db`, and what the file may be when it is opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

VERSION = 1
"""Kept in `user_version`. An index of another version is built anew: its documents are kept
apart from it, so nothing is lost."""

FIELDS = ("topic", "also", "kind", "body")
"""The indexed columns, each holding terms with spaces between (`words.terms`)."""

TABLES = """
CREATE TABLE document(
    id TEXT PRIMARY KEY, title TEXT, source TEXT, licence TEXT, added TEXT, entries INTEGER
);
CREATE TABLE passage(
    id INTEGER PRIMARY KEY, document TEXT, topic TEXT, kind TEXT,
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


def connect(path: Path) -> sqlite3.Connection:
    """Opens an index for reading and writing; it is not looked at yet.

    The connection may move between threads, but only one may use it at a time.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def is_usable(path: Path) -> bool:
    """Whether the file is a whole index of this version, as far as its first pages tell."""
    if not path.is_file():
        return False
    with closing(connect(path)) as connection:
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT name, value FROM fact").fetchall()
            connection.execute("SELECT rowid FROM search LIMIT 1").fetchall()
        except sqlite3.DatabaseError:
            return False
    return bool(version == VERSION)
