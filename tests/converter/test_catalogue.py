from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.errors import BadInputError
from converter import catalogue
from tests.app.engine.gguf_files import small_model
from tests.shared import ROOT

CATALOG = ROOT / "models/catalog.toml"

ENTRIES = """# a comment
default = "own"

[[model]]
name = "own"
file = "own.gguf"
sha256 = "old"
bytes = 1
parameters = 1
memory = 1
boards = []
context = 1
licence = "MIT"  # kept

[[model]]
name = "gemma-3-1b"
file = "g.gguf"
sha256 = ""
bytes = 1
parameters = 1
memory = 1
boards = []
context = 1
computed = true
"""


def test_the_shipped_catalogue_has_not_drifted() -> None:
    """Run `python -m converter.catalogue models/catalog.toml` when this fails."""
    assert catalogue.filled(CATALOG) == CATALOG.read_text("utf-8")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own.gguf").write_bytes(small_model().pack())
    (tmp_path / "catalog.toml").write_text(ENTRIES)
    return tmp_path / "catalog.toml"


def test_numbers_are_filled_in_and_words_kept(own: Path) -> None:
    assert catalogue.main([str(own)]) == 0
    text = own.read_text()
    content = (own.parent / "own.gguf").read_bytes()
    assert f'sha256 = "{hashlib.sha256(content).hexdigest()}"' in text
    assert f"bytes = {len(content):_}" in text
    assert "parameters = 999_885_952" in text
    assert 'boards = ["pi5-4gb", "pi5-8gb", "orin-nano-8gb"]' in text
    assert text.startswith("# a comment\n")
    assert 'licence = "MIT"  # kept' in text
    assert catalogue.filled(own) == text, "a second run changes nothing"


def test_a_model_that_nobody_knows(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own.parent / "own.gguf").unlink()
    with pytest.raises(BadInputError, match="“own” is not beside the catalogue"):
        catalogue.filled(own)
    assert catalogue.main([str(own)]) == 3
    assert own.read_text() == ENTRIES
    assert "“own”" in capsys.readouterr().err


def test_a_line_that_is_missing(own: Path) -> None:
    own.write_text(ENTRIES.replace("memory = 1\n", "", 1))
    with pytest.raises(BadInputError, match="one line “memory = …”"):
        catalogue.filled(own)


def test_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert catalogue.main([]) == 2
    assert "Name the catalogue" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[model]\nname = 'a'\n", "[[model]] # odd\nname = 'a'\n"])
def test_what_is_no_catalogue(own: Path, text: str) -> None:
    own.write_text(text)
    if text:
        with pytest.raises(BadInputError, match="must begin with a line"):
            catalogue.filled(own)
    else:
        with pytest.raises(BadInputError):
            catalogue.filled(own)
