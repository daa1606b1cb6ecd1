"""The kept copies of added documents: what was damaged is told, whatever it has become."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app.errors import BadInputError
from app.knowledge.kept import KeptDocuments


@pytest.mark.parametrize(
    "content",
    ["", "3", "null", "[]", "{}", '{"schema": "x"}', '{"schema": 1}', "[" * 100_000, "{}\n3"],
    ids=lambda content: content[:20] or "nothing",
)
def test_a_head_that_is_none_is_a_damaged_document(tmp_path: Path, content: str) -> None:
    (tmp_path / "note.jsonl.gz").write_bytes(gzip.compress(content.encode()))
    with pytest.raises(BadInputError, match="“note” is damaged"):
        KeptDocuments(tmp_path).read("note")
