"""`bedside-convert perplexity` as a person types it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.quantise import FileType
from tests.converter.cli.test_cli import run


@pytest.fixture(scope="module")
def model(recipe_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "model.gguf"
    write(lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.BF16), out, threads=1)
    return out


def test_a_number_is_told_with_all_that_it_means_nothing_without(
    model: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("some words to foresee\n" * 8)
    options = ("--text", text, "--context", 32, "--chunks", 3, "--threads", 1)
    told = run("perplexity", model, *options)
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("perplexity ")
    assert "context 32, stride 32, chunks 3, tokens scored 45" in told.stdout
    assert f"{text}: {hashlib.sha256(text.read_bytes()).hexdigest()}" in told.stdout
    record = json.loads(run("perplexity", model, *options, "--json").stdout)
    assert (record["context"], record["stride"], record["chunks"]) == (32, 32, 3)
    assert f"perplexity {record['perplexity']:.4f} ±" in told.stdout
    assert f"corpus {record['corpus_sha256']}" in told.stdout


@pytest.mark.parametrize(
    ("content", "options", "code", "sentence"),
    [
        (b"caf\xe9 au lait", (), 3, "not UTF-8"),
        (b"12 34\n", (), 3, "no words"),
        (b"few words", (), 3, "fewer than one window of 32"),
        (b"few words", ("--stride", "17"), 2, "less than half"),
    ],
)
def test_text_that_measures_nothing_is_refused(
    content: bytes, options: tuple[str, ...], code: int, sentence: str, model: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(content)
    ended = run("perplexity", model, "--text", text, "--context", 32, *options)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert sentence in ended.stderr


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("words")
    ended = run("perplexity", tmp_path / "none.gguf", "--text", text)
    assert ended.exit_code == 3
    assert "does not exist" in ended.stderr
