"""Perplexity: the stock tool's number on the same file and text, and the oracle's on any."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, UsageError
from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.measure import (
    Perplexity,
    Windows,
    corpus_hash,
    negative_log_likelihood,
    perplexity,
)
from converter.quantise import FileType
from converter.texts import Document, Piece, TextSource, read_texts
from tests import llama
from tests.converter.checkpoints import Recipe, build, weights, write_weights
from tests.converter.oracle.llama import logits
from tests.shared import ROOT, shared_path

STOCK: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "perplexity.json").read_text("utf-8")
)
SOURCE = TextSource("text", "0" * 64)


def text(content: str) -> Document:
    return Document(SOURCE, (Piece(content),))


@pytest.fixture(scope="module")
def medquad(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("medquad")

    def file(kind: str) -> Path:
        out = folder / f"{kind}.gguf"
        if not out.exists():
            checkpoint = open_checkpoint(shared_path("models/medquad-29m"))
            write(lay_out(checkpoint, FileType[kind]), out, threads=2)
        return out

    return file


@pytest.mark.parametrize(
    "figure", STOCK["figures"], ids=lambda figure: f"{figure['type']} {figure['context']}"
)
def test_the_number_is_that_of_llama_perplexity(
    figure: dict[str, Any], medquad: Callable[[str], Path]
) -> None:
    model = medquad(figure["type"])
    corpus = ROOT / "LICENSE"
    assert hashlib.sha256(corpus.read_bytes()).hexdigest() == STOCK["text_sha256"]
    found = perplexity(model, read_texts([corpus]), Windows(figure["context"]), threads=1)
    assert found.chunks == figure["chunks"]
    assert found.value == pytest.approx(figure["value"], rel=1e-3)
    assert found.error == pytest.approx(figure["error"], rel=1e-2)


@pytest.mark.parametrize("windows", [Windows(32), Windows(33), Windows(32, 8), Windows(32, 0, 2)])
def test_the_number_is_that_of_the_oracle(
    windows: Windows, recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    """Windows, BOS and scored positions, counted out here in other words."""
    folder, model = recipe_folder("tied-bf16"), tmp_path / "model.gguf"
    write(lay_out(open_checkpoint(folder), FileType.F32), model, threads=2)
    documents = [text("severalwords" * 9 + "\n"), text("andothers" * 6)]
    with llama.load_vocabulary(model) as vocabulary:
        tokens: list[int] = []
        for document in documents:
            tokens += [1, *vocabulary.tokenize(document.text.rstrip("\n"))]
    size, expected, chunks = windows.context, [], 0
    step = windows.stride or size
    while chunks * step + size <= len(tokens) and chunks != (windows.limit or -1):
        window = [1, *tokens[chunks * step + 1 : chunks * step + size]]
        scores = logits(folder, window)
        begin = size - windows.stride if windows.stride else size // 2 + 1
        for place in range(begin, size):
            row = scores[place - 1]
            expected.append(np.logaddexp.reduce(row) - row[window[place]])
        chunks += 1
    found = perplexity(model, documents, windows, threads=1)
    assert (found.chunks, found.tokens, found.context) == (chunks, len(expected), size)
    assert found.stride == step
    by_window = np.reshape(expected, (chunks, -1)).mean(axis=1)
    assert found.window_nlls == pytest.approx(by_window, abs=3e-3)
    assert found.nll == pytest.approx(np.mean(expected), abs=1e-3)
    assert found.spread == pytest.approx(np.std(expected) / np.sqrt(len(expected) - 1), rel=1e-2)


@given(st.integers(4, 40), st.integers(0, 20), st.integers(0, 5), st.integers(0, 200))
def test_windows_score_no_token_twice_and_give_each_half_a_window_of_context(
    context: int, stride: int, limit: int, count: int
) -> None:
    windows = Windows(context, min(stride, context // 2), limit)
    windows.check()
    cut = windows.cut(range(1000, 1000 + count), bos=1)
    assert len(cut) <= (limit or count)
    scored: list[int] = []
    for window in cut:
        assert len(window) == context and window[0] == 1
        assert windows.first + 1 >= context // 2
        scored += window[windows.first + 1 :]
    assert len(scored) == len(set(scored))
    if windows.stride:
        assert scored == list(range(scored[0], scored[0] + len(scored))) if scored else True


def test_likelihoods_survive_logits_of_any_size() -> None:
    source = np.random.default_rng(3)
    rows = (source.standard_normal((200, 50)) * 1e4).astype(np.float32)
    targets = source.integers(0, 50, 200)
    wide = rows.astype(np.float64)
    expected = np.logaddexp.reduce(wide, axis=1) - wide[np.arange(200), targets]
    np.testing.assert_allclose(negative_log_likelihood(rows, targets), expected, rtol=1e-6)


def test_the_corpus_is_known_by_its_words_and_their_borders() -> None:
    assert corpus_hash([text("ab"), text("c")]) != corpus_hash([text("a"), text("bc")])
    split = Document(SOURCE, (Piece("a"), Piece("b", special=True)))
    assert corpus_hash([split]) == corpus_hash([text("ab")])


@pytest.mark.parametrize(
    ("windows", "sentence"),
    [
        (Windows(3), "too short"),
        (Windows(32, 17), "less than half"),
        (Windows(32, -1), "less than half"),
        (Windows(32, 0, -1), "cannot be negative"),
    ],
)
def test_windows_that_score_nothing_are_refused(windows: Windows, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        perplexity(Path("unused.gguf"), [text("words")], windows)


def test_too_little_text_and_too_long_a_window_are_refused(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    model = tmp_path / "model.gguf"
    write(lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.BF16), model, threads=2)
    with pytest.raises(BadInputError, match="fewer than one window of 64"):
        perplexity(model, [text("few words")], Windows(64))
    with pytest.raises(BadInputError, match="trained on contexts of 256"):
        perplexity(model, [text("few words")], Windows(512))


@pytest.mark.parametrize(
    ("size", "sentence"), [(3e38, "does not compute numbers"), (1e5, "does not compute a language")]
)
def test_a_model_that_computes_nothing_of_use_is_refused(
    tmp_path: Path, size: float, sentence: str
) -> None:
    """Weights that overflow float32, or after which e to the loss overflows: the file is sound."""
    recipe = Recipe(layers=1, dtype="F32")
    folder = build(tmp_path / "model", recipe)
    tensors = {name: ("F32", weights(name, shape)) for name, shape in recipe.shapes()}
    tensors["model.norm.weight"][1][:] = size
    write_weights(folder, tensors)
    model = tmp_path / "model.gguf"
    write(lay_out(open_checkpoint(folder), FileType.F32), model, threads=2)
    with pytest.raises(BadInputError, match=sentence):
        perplexity(model, [text("some words " * 20)], Windows(32), threads=1)


def test_the_worst_number_that_is_one_has_an_error_that_is_one() -> None:
    found = Perplexity(700.0, 700.0, 1, 1, 8, 8, "0" * 64, (700.0,))
    assert np.isfinite(found.error)
