"""TOML files: what is read, and a plain sentence for each thing that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError
from app.toml_file import parse_toml, read_toml, read_written


def test_tables_are_read_and_text_is_given_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes('[ui]\r\nname = "é"\r\n'.encode())
    assert read_toml(path) == {"ui": {"name": "é"}}
    assert read_written(path) == '[ui]\r\nname = "é"\r\n'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"name = ", "no valid TOML"),
        (b"name = \xff", "no UTF-8 text"),
        (b"#" * (1024 * 1024 + 1), "too large"),
        (b"name = " + b"[" * 100_000, "no valid TOML"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=rf"own\.toml.*{complaint}"):
        read_toml(path)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_toml(tmp_path / "none.toml")


@given(st.text())
def test_any_text_is_tables_or_bad_input(text: str) -> None:
    try:
        assert isinstance(parse_toml(text, "own.toml"), dict)
    except BadInputError as error:
        assert "own.toml" in str(error)
