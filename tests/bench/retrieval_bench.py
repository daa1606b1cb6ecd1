"""How well and how fast the reference finds what was asked for, against plain BM25.

    python -m tests.bench.retrieval_bench [--development]

One index of MedQuAD (../shared/data, 13,437 entries of train and val; no cards, since nobody has
judged which of them answer which question). An entry is relevant where it has the topic and the
type of the entry that the question belongs to. Question sets:

- own: each held-out entry's own question, as MedQuAD words it;
- lay: `lay_questions.jsonl`, written blind from held-out answers without the topic's name;
- with --development, in their place, questions of topics in train: the only ones that were looked
  at while thesaurus and ranking were made.

Baselines: FTS5 as it comes (its default tokenizer, unweighted BM25, every word of the question, no
thesaurus) over the same entries, and the same over Bedside's own index of stems.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.knowledge.index import build
from app.knowledge.passage import Document, Entry
from app.knowledge.ranking import Ranking
from app.knowledge.schema import connect
from app.knowledge.thesaurus import shipped_thesaurus
from app.knowledge.words import terms
from tests.shared import shared_path

Row = dict[str, str]
Ask = Callable[[str], list[int]]

DEPTH = 20
"""Places that are looked at for the mean reciprocal rank."""
_QUESTIONS = Path(__file__).parents[1] / "app" / "knowledge" / "data"
_DEVELOPMENT_TOPICS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the entries (numbers in the index) that answer it."""

    question: str
    relevant: frozenset[int]


@dataclass(frozen=True, slots=True)
class Score:
    """How a way of searching did on a set of questions."""

    first: float
    """Recall at 1: the share of questions whose first hit is relevant."""
    third: float
    """Recall at 3: the share with a relevant one among the first three."""
    reciprocal: float
    """Mean reciprocal rank of the first relevant entry, 0 beyond DEPTH."""
    p95_ms: float
    """By the clock on the wall; other work on the machine counts."""
    p95_cpu_ms: float
    """Of this process alone."""


def main() -> None:
    """Print a table for each set of questions."""
    rows = [*_rows("data/medquad_train.jsonl.gz"), *_rows("data/medquad_val.jsonl.gz")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.db"
        began = time.perf_counter()
        build(path, [(_document(len(rows)), map(_entry, rows))], {})
        print(f"{len(rows)} entries built in {time.perf_counter() - began:.1f} s, ", end="")
        print(f"{path.stat().st_size / 1e6:.0f} MB")
        with closing(connect(path)) as connection, closing(_plain(rows)) as plain:
            ways = ways_of_searching(connection, plain)
            sets = _development(rows) if "--development" in sys.argv else _held_out(rows)
            for name, asked in sets.items():
                _print(name, asked, ways)
            _print_refusals(connection, sets)


def ways_of_searching(connection: sqlite3.Connection, plain: sqlite3.Connection) -> dict[str, Ask]:
    """Ours and the baselines, each giving entries' numbers, best first."""
    ranking = Ranking(connection, shipped_thesaurus())
    return {
        "Bedside": lambda question: [one.id for one in ranking.ranked(question)],
        "plain BM25": lambda question: _bm25(plain, re.findall(r"\w+", question)),
        "plain BM25 on our stems": lambda question: _bm25(connection, terms(question)),
    }


def measure(asked: Sequence[Asked], ask: Ask) -> Score:
    """Ask all and score."""
    places, times, shares = [], [], []
    for one in asked:
        began, used = time.perf_counter(), time.process_time()
        found = ask(one.question)[:DEPTH]
        times.append(time.perf_counter() - began)
        shares.append(time.process_time() - used)
        hits = [place for place, number in enumerate(found, 1) if number in one.relevant]
        places.append(hits[0] if hits else DEPTH + 1)
    count = len(asked)
    return Score(
        first=sum(place == 1 for place in places) / count,
        third=sum(place <= 3 for place in places) / count,
        reciprocal=sum(1 / place for place in places if place <= DEPTH) / count,
        p95_ms=_p95(times) * 1e3,
        p95_cpu_ms=_p95(shares) * 1e3,
    )


def _print_refusals(connection: sqlite3.Connection, sets: Mapping[str, Sequence[Asked]]) -> None:
    """How often there is no good passage, where there is one and where there can be none."""
    ranking = Ranking(connection, shipped_thesaurus())
    asked = {name: [one.question for one in found] for name, found in sets.items()}
    asked["off-topic questions"] = list(_lines("development_off_topic.txt"))
    print()
    for name, questions in asked.items():
        ranked = [ranking.ranked(question) for question in questions]
        refused = sum(not found or not found[0].good for found in ranked)
        print(f"no good passage: {refused} of {len(questions)} {name}")


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def _print(name: str, asked: Sequence[Asked], ways: dict[str, Ask]) -> None:
    print(f"\n{name}: {len(asked)} questions\n{'':26}recall@1  recall@3     MRR  p95 ms  CPU ms")
    for way, ask in ways.items():
        score = measure(asked, ask)
        print(
            f"{way:26}{score.first:8.3f}{score.third:10.3f}{score.reciprocal:8.3f}"
            f"{score.p95_ms:8.1f}{score.p95_cpu_ms:8.1f}"
        )


def _held_out(rows: Sequence[Row]) -> dict[str, list[Asked]]:
    answers = _answers(rows)
    held_out = _rows("data/medquad_val.jsonl.gz")
    topics = {(row["url"], row["qtype"]): row["focus"] for row in held_out}
    lay = [json.loads(line) for line in _lines("lay_questions.jsonl")]
    return {
        "own questions of held-out entries": [
            Asked(row["question"], answers[row["focus"].casefold(), row["qtype"]])
            for row in held_out
        ],
        "blind lay questions": [
            Asked(
                one["question"],
                answers[topics[one["url"], one["qtype"]].casefold(), one["qtype"]],
            )
            for one in lay
        ],
    }


def _development(rows: Sequence[Row]) -> dict[str, list[Asked]]:
    answers = _answers(rows)
    train = _rows("data/medquad_train.jsonl.gz")
    topics = sorted({row["focus"] for row in train})
    chosen = set(random.Random(29).sample(topics, _DEVELOPMENT_TOPICS))
    lay = [json.loads(line) for line in _lines("development_questions.jsonl")]
    return {
        "own questions of 100 topics in train": [
            Asked(row["question"], answers[row["focus"].casefold(), row["qtype"]])
            for row in train
            if row["focus"] in chosen
        ],
        "development lay questions": [
            Asked(one["question"], answers[one["topic"].casefold(), one["qtype"]]) for one in lay
        ],
    }


def _answers(rows: Sequence[Row]) -> dict[tuple[str, str], frozenset[int]]:
    """The entries' numbers by topic and type; the index numbers them in the order of the rows."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, row in enumerate(rows, 1):
        found[row["focus"].casefold(), row["qtype"]].add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def _plain(rows: Sequence[Row]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE search USING fts5(topic, kind, body)")
    connection.executemany(
        "INSERT INTO search VALUES (?, ?, ?)",
        ((row["focus"], row["qtype"], row["answer"]) for row in rows),
    )
    return connection


def _bm25(connection: sqlite3.Connection, words: Sequence[str]) -> list[int]:
    query = " OR ".join(f'"{word}"' for word in words)
    found = connection.execute(
        "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rank LIMIT ?", (query, DEPTH)
    )
    return [int(row[0]) for row in found]


def _document(entries: int) -> Document:
    return Document("medquad", "MedQuAD", "", "CC BY 4.0", "", entries)


def _entry(row: Row) -> Entry:
    return Entry(
        row["focus"],
        row["qtype"],
        row["qtype"],
        row["answer"],
        source=row["source"],
        url=row["url"],
    )


def _rows(name: str) -> list[Row]:
    with gzip.open(shared_path(name), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _lines(name: str) -> Iterator[str]:
    yield from (_QUESTIONS / name).read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    main()
