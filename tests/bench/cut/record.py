"""Rows in a file of JSON lines: those that stand there are not measured again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.errors import BadInputError, UsageError
from app.sanitise import one_line
from converter.texts import Document
from tests.bench.cut.bench import GENERAL, MEDICAL, Bench
from tests.bench.cut.parts import Job, Row


class Record:
    """The rows of one table, in memory and, where a path is given, in a file."""

    def __init__(self, path: Path | None, conditions: Row) -> None:
        """Read what stands in the file; a last line that was cut short is dropped.

        Raises:
            UsageError: it holds rows that were measured under other conditions.
            BadInputError: it is no such file.
        """
        self._path = path
        self.rows: list[Row] = [] if path is None or not path.exists() else _read(path)
        if not self.rows:
            self.add(conditions)
        elif self.rows[0] != conditions:
            raise UsageError(
                f"{one_line(str(path))} holds rows of another model, text, number of tokens or "
                "library; name another file with -o."
            )

    def find(self, job: Job) -> Row | None:
        """The row of a job that was done."""
        return next((row for row in self.rows if job.key.items() <= row.items()), None)

    def done(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """Every job's row, measured where it is not there."""
        for job in jobs:
            if (row := self.find(job)) is None:
                row = {**job.key, **job.measure()}
                self.add(row)
            yield row

    def add(self, row: Row) -> None:
        """Keep a row; it is on the disk when this returns."""
        self.rows.append(json.loads(json.dumps(row)))
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
                file.flush()
                os.fsync(file.fileno())


def conditions(bench: Bench) -> Row:
    """What rows must share to stand in one table: hashes and numbers, no path and no clock."""
    return {
        "source": bench.sha256,
        "medical": _hashes(bench.texts[MEDICAL].domain),
        "general": _hashes(bench.texts[GENERAL].domain),
        "held_out": {name: _hashes(documents) for name, documents in bench.held_out.items()},
        "tokens": bench.terms.tokens,
        "windows": bench.terms.windows,
        "versions": {name: version(name) for name in ("llama-cpp-python", "numpy")},
    }


def _hashes(documents: Iterable[Document]) -> list[str]:
    return list(dict.fromkeys(document.source.sha256 for document in documents))


def _read(path: Path) -> list[Row]:
    text = path.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        os.truncate(path, len(whole.encode()))
    try:
        rows: list[Any] = [json.loads(line) for line in whole.splitlines()]
    except ValueError as error:
        raise BadInputError(f"{one_line(str(path))} holds no rows; name another file.") from error
    return rows
