"""The hazard table: whole rows, and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app.assistant.rulebook import SHIPPED

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = 5
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> list[list[str]]:
    """The cells of every hazard."""
    text = SHIPPED.with_name("HAZARDS.md").read_text(encoding="utf-8")
    table = text.partition("## Figures")[0].splitlines()
    lines = [line for line in table if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_hazard_names_tests_that_are_there(row: list[str]) -> None:
    assert len(row) == COLUMNS and all(row)
    named = _NAMED.findall(row[3])
    assert named, "no test shows that the control holds"
    for path, test in named:
        file = ROOT / path
        assert file.is_file(), path
        if test:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            functions = (ast.FunctionDef, ast.AsyncFunctionDef)
            assert test in {one.name for one in tree.body if isinstance(one, functions)}, test


def test_no_hazard_stands_twice() -> None:
    hazards = [row[0] for row in rows()]
    assert len(hazards) == len(set(hazards)) >= 25
