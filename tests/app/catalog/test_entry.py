from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.entry import Entry, parse_entries
from app.errors import BadInputError

GOOD: dict[str, object] = {
    "name": "small-1b",
    "file": "Small.gguf",
    "sha256": "a" * 64,
    "bytes": 5,
    "licence": "MIT",
    "source": "x/y",
    "context": 1024,
    "good_for": "a",
    "not_good_for": "b",
}


def test_a_table_becomes_an_entry() -> None:
    (entry,) = parse_entries([{**GOOD, "boards": ["pi5-4gb"], "computed": True}], "here")
    assert entry.boards == ("pi5-4gb",)
    assert entry.computed
    assert not entry.demonstration
    again = parse_entries([dataclasses.asdict(entry)], "here")
    assert again == (entry,)


BAD = {
    "no list": ({}, "has no list of models"),
    "no table": (["x"], "is no table"),
    "unknown key": ([{**GOOD, "colour": 1}], "unknown key “colour”"),
    "missing key": ([{k: v for k, v in GOOD.items() if k != "licence"}], "has no “licence”"),
    "text for a number": ([{**GOOD, "bytes": "5"}], "“bytes” in entry 1 of here is not of"),
    "bool for a number": ([{**GOOD, "bytes": True}], "“bytes”"),
    "numbers in a list": ([{**GOOD, "boards": [1]}], "“boards”"),
    "name with a path": ([{**GOOD, "name": "../x"}], "“name” in entry 1 of here cannot"),
    "file with a path": ([{**GOOD, "file": "../../etc/passwd"}], "“file”"),
    "parent folder as file": ([{**GOOD, "file": ".."}], "“file”"),
    "short hash": ([{**GOOD, "sha256": "abc"}], "“sha256”"),
    "negative size": ([{**GOOD, "bytes": -1}], "“bytes”"),
    "no context": ([{**GOOD, "context": 0}], "“context”"),
    "twice": ([GOOD, GOOD], "“small-1b” twice"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_catalogue(kind: str) -> None:
    tables, sentence = BAD[kind]
    with pytest.raises(BadInputError, match=sentence):
        parse_entries(tables, "here")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(GOOD)), value=JSON)
def test_any_value_is_taken_or_refused(key: str, value: object) -> None:
    try:
        (entry,) = parse_entries([{**GOOD, key: value}], "here")
    except BadInputError:
        return
    assert isinstance(entry, Entry)
    assert "/" not in entry.file
