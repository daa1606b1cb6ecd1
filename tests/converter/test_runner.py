"""The runner against the test suite's own llama.cpp, and what a watch may do to it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import BadInputError, EngineError
from converter import graph
from converter.checkpoint import open_checkpoint
from converter.cut.measuring import Calibration, measure
from converter.export import lay_out, write
from converter.filetype import FileType
from converter.graph import Tensor, product_op
from converter.runner import Runner
from converter.texts import Document, Piece, Sample, TextSource, read_texts
from tests.converter import checkpoints
from tests.converter.checkpoints import Recipe, build
from tests.llama import load

TOKENS = [1, 300, 270, 299, 301, 266]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runner")
    path = root / "model.gguf"
    write(lay_out(open_checkpoint(build(root / "model", Recipe())), FileType.F32), path, threads=1)
    return path


class _Watch:
    """Notes what it sees; raises or stops where it is told to."""

    def __init__(self, error: BaseException | None = None, stop: str = "") -> None:
        self.seen: list[tuple[str, tuple[int, ...]]] = []
        self._error = error
        self._stop = stop

    def wants(self, tensor: Tensor) -> bool:
        return tensor.multiplies or tensor.name == "result_norm"

    def take(self, tensor: Tensor) -> bool:
        self.seen.append((tensor.name, tensor.rows().shape if "norm" in tensor.name else ()))
        if self._error is not None:
            raise self._error
        return tensor.name != self._stop


def test_logits_are_those_of_llama_cpp(file: Path) -> None:
    with load(file) as model, Runner(file, length=8, threads=1, exact=True) as runner:
        for tokens in (TOKENS, TOKENS[:3]):
            runner.run(tokens)
            np.testing.assert_allclose(runner.logits(), model.logits(tokens), atol=1e-5)
        assert runner.bos == 1
        assert runner.vocabulary == model.size


def test_special_pieces_alone_are_read_as_tokens(file: Path) -> None:
    source = TextSource("t", "0" * 64)
    with Runner(file, length=8, threads=1) as runner:
        written = runner.tokenise(Document(source, (Piece("<s>a"),)))
        meant = runner.tokenise(Document(source, (Piece("<s>", special=True), Piece("a"))))
    assert meant[0] == 1
    assert 1 not in written


def test_a_model_without_turns_reads_question_and_answer_as_paragraphs(
    file: Path, tmp_path: Path
) -> None:
    text = tmp_path / "q.jsonl"
    text.write_text('{"question": "ab", "answer": "c<|im_end|>"}')
    (document,) = read_texts([text])
    with Runner(file, length=8, threads=1) as runner:
        expected = [*runner.ids("ab"), *runner.ids("\n\n"), *runner.ids("c<|im_end|>")]
        assert runner.tokenise(document) == [*expected, *runner.ids("\n")]


def test_a_watch_sees_products_and_may_stop_before_the_head(file: Path) -> None:
    everything, stopped = _Watch(), _Watch(stop="result_norm")
    for watch in (everything, stopped):
        with Runner(file, length=8, threads=1, watch=watch) as runner:
            runner.run(TOKENS)
    assert ("result_norm", (len(TOKENS), 256)) in everything.seen
    assert everything.seen[-1][0] == "result_output"
    assert stopped.seen[-1][0] == "result_norm"


@pytest.mark.parametrize("error", [BadInputError("odd"), KeyboardInterrupt(), ValueError("odd")])
def test_what_a_watch_raises_comes_out_once_and_the_model_goes_on(
    file: Path, error: BaseException
) -> None:
    watch = _Watch(error)
    with Runner(file, length=8, threads=1, watch=watch) as runner:
        with pytest.raises(type(error)) as raised:
            runner.run(TOKENS)
        assert raised.value is error
        assert len(watch.seen) == 1, "the graph ends there"
        watch._error = None
        runner.run(TOKENS)
        assert len(watch.seen) > 10


def test_chunks_longer_than_the_trained_context_are_refused(file: Path) -> None:
    with pytest.raises(BadInputError, match="contexts of 256 tokens"):
        Runner(file, length=257)


def test_another_layout_of_tensors_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert product_op() > 0

    class Shifted(ctypes.Structure):
        _fields_ = [("new", ctypes.c_int64), *graph._Struct._fields_]

    monkeypatch.setattr(graph, "_Struct", Shifted)
    product_op.cache_clear()
    try:
        with pytest.raises(EngineError, match=r"install llama-cpp-python 0\.3\.36"):
            product_op()
    finally:
        product_op.cache_clear()


def test_nan_activations_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = checkpoints.weights

    def large(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        values = plain(name, shape)
        if "down_proj" in name or "up_proj" in name:
            values *= np.float32(1e30)
        return values

    monkeypatch.setattr(checkpoints, "weights", large)
    file = tmp_path / "model.gguf"
    folder = build(tmp_path / "model", Recipe(dtype="F32"))
    write(lay_out(open_checkpoint(folder), FileType.F32), file, threads=1)
    document = Document(TextSource("t", "0" * 64), (Piece("a glaucoma in an eye " * 3),))
    with pytest.raises(BadInputError, match="NaN or infinite"):
        measure(file, "0" * 64, Calibration([document], (), Sample(16, 16)), threads=1)
