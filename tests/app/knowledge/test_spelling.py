from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.index import build
from app.knowledge.passage import Document, Entry
from app.knowledge.schema import connect
from app.knowledge.spelling import Spelling, distance

KNOWN = "asthma diarrhea psoriasis pneumonia seizure glaucoma eczema migraine fever shingles stroke"


@pytest.fixture(scope="module")
def spelling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spelling]:
    path: Path = tmp_path_factory.mktemp("index") / "reference.db"
    entries = [Entry("All", "information", "", f"{KNOWN} {KNOWN}")]
    build(path, [(Document("d", "D", "", "", "", 1), entries)], {})
    with closing(connect(path)) as connection:
        yield Spelling(connection)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ashtma", "asthma"),
        ("diahrea", "diarrhea"),
        ("soriasis", "psoriasis"),
        ("newmonia", "pneumonia"),
        ("siezure", "seizure"),
        ("glocoma", "glaucoma"),
        ("exzema", "eczema"),
        ("migrane", "migraine"),
        ("fevr", "fever"),
        ("strok", "stroke"),
    ],
)
def test_what_was_meant(spelling: Spelling, typed: str, meant: str) -> None:
    assert spelling.corrected(typed) == meant


@pytest.mark.parametrize(
    "typed", ["car", "xyzzy", "b12", "500mg", "tyre", "cever", "stoke9", "helicopter", "", "^a$"]
)
def test_what_is_near_nothing_stays(spelling: Spelling, typed: str) -> None:
    assert spelling.corrected(typed) is None


def test_known_words_are_known(spelling: Spelling) -> None:
    assert spelling.knows("asthma")
    assert not spelling.knows("ashtma")


def slips(left: str, right: str) -> int:
    """Optimal string alignment from its recursive definition."""

    @cache
    def between(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        ways = [
            between(i - 1, j) + 1,
            between(i, j - 1) + 1,
            between(i - 1, j - 1) + (left[i - 1] != right[j - 1]),
        ]
        if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
            ways.append(between(i - 2, j - 2) + 1)
        return min(ways)

    return between(len(left), len(right))


@given(st.text("abc", max_size=7), st.text("abc", max_size=7), st.integers(0, 7))
def test_distance_is_the_definition(left: str, right: str, allowed: int) -> None:
    true = slips(left, right)
    assert distance(left, right, allowed) == (true if true <= allowed else math.inf)
