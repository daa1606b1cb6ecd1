"""Opening a model: what it is, how long a context, and every way it can be refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.engine import memory
from app.engine.llama import Llama
from app.engine.messages import Failed, Generate, Load, Loaded, Loading, Message, Warm, Warmed
from app.engine.modelfile import read_header
from tests.app.engine import tiny
from tests.app.engine.helpers import GREEDY, SETTINGS, SYSTEM, Bench, only, said

LOTS = 64 << 30
QUESTION = (SYSTEM, Message("user", "What is glaucoma?"))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def _available(monkeypatch: pytest.MonkeyPatch, amount: int | None) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: amount)


def test_loaded_says_what_the_model_is(bench: Bench, tiny_model: Path) -> None:
    loaded = bench.load(tiny_model)
    header = read_header(tiny_model)
    assert (loaded.name, loaded.architecture, loaded.template) == ("tiny", "llama", "file")
    assert loaded.parameters == sum(tensor.elements for tensor in header.tensors)
    assert loaded.bytes == sum(tensor.bytes for tensor in header.tensors)
    assert loaded.census == {"Q8_0": 16, "F32": 5}
    assert (loaded.trained_context, loaded.context) == (512, 512)
    assert "CPU" in loaded.system_info and loaded.llama_cpp.count(".") == 2
    assert loaded.extra_buffers is False


def test_progress_rises_and_ends_with_loaded(bench: Bench, tiny_model: Path) -> None:
    events = bench.do(Load(str(tiny_model), SETTINGS))
    fractions = [event.fraction for event in events if isinstance(event, Loading)]
    assert fractions == sorted(fractions) and fractions[-1] <= 1.0
    assert isinstance(events[-1], Loaded)


def test_a_hostile_name_is_made_plain(bench: Bench, tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "a.gguf", tiny.Tiny(name="a\x1b]52;c;eA==\x07\nb\u202ec"))
    assert bench.load(path).name == "a bc"


@pytest.mark.parametrize(
    ("asked", "trained", "expected"), [(256, 512, 256), (4096, 512, 512), (512, 512, 512)]
)
def test_the_context_is_at_most_the_asked_and_the_trained(
    asked: int, trained: int, expected: int, bench: Bench, tmp_path: Path
) -> None:
    path = tiny.write(tmp_path / "a.gguf", tiny.Tiny(context=trained))
    assert bench.load(path, settings=replace(SETTINGS, context=asked)).context == expected


def test_memory_can_make_the_context_smaller(
    bench: Bench, heavy_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, context=4096)
    need = memory.estimate(read_header(heavy_model), settings, 2048)
    _available(monkeypatch, need.total)
    assert bench.load(heavy_model, settings=settings).context == 2048


def test_too_little_memory_is_refused_with_both_numbers(
    bench: Bench, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _available(monkeypatch, 1 << 20)
    failed = only(Failed, bench.do(Load(str(tiny_model), SETTINGS)))
    needed = memory.estimate(read_header(tiny_model), SETTINGS, memory.SMALLEST_CONTEXT).total
    assert failed.code == "memory"
    assert failed.detail == {"needed": needed, "available": 1 << 20}
    assert "0.1 GB" in failed.sentence and "0.0 GB are available" in failed.sentence


def test_the_refusal_can_be_overridden(
    bench: Bench, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _available(monkeypatch, 1 << 20)
    settings = replace(SETTINGS, context=4096)
    loaded = bench.load(tiny_model, settings=settings, ignore_memory=True)
    assert loaded.context == loaded.trained_context == 512


def test_where_memory_is_unknown_the_model_is_loaded(
    bench: Bench, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _available(monkeypatch, None)
    assert bench.load(tiny_model).context == 512


def _bad_files(folder: Path, good: bytes) -> dict[str, Path]:
    contents = {
        "empty": b"",
        "html": b"<!DOCTYPE html><html><body>404</body></html>",
        "lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n",
        "truncated": good[: len(good) // 2],
        "wrong magic": b"GGML" + good[4:],
    }
    paths = {name: folder / f"{name}.gguf" for name in contents}
    for name, path in paths.items():
        path.write_bytes(contents[name])
    return {**paths, "missing": folder / "missing.gguf", "a folder": folder}


def test_a_bad_file_is_told_and_the_engine_lives_on(
    bench: Bench, tiny_model: Path, tmp_path: Path
) -> None:
    for name, path in _bad_files(tmp_path, tiny_model.read_bytes()).items():
        failed = only(Failed, bench.do(Load(str(path), SETTINGS)))
        assert failed.code == "bad_model", name
        assert failed.sentence.endswith(".") and "\n" not in failed.sentence, name
        assert only(Failed, bench.do(Generate(QUESTION, GREEDY))).code == "internal", name
    bench.load(tiny_model)
    assert said(bench.do(Generate(QUESTION, GREEDY)))


def test_a_file_that_llama_cpp_refuses_is_told(bench: Bench, tmp_path: Path) -> None:
    """The header is sound, but a tensor that every Llama has is missing."""
    path = tiny.write(tmp_path / "a.gguf", tiny.Tiny(without="blk.1.ffn_down.weight"))
    failed = only(Failed, bench.do(Load(str(path), SETTINGS)))
    assert failed.code == "bad_model"


@pytest.mark.parametrize("source", ["{% for %}", "{{ 'a' | center(99999999999) }}"])
def test_a_bad_template_refuses_the_model_and_frees_it(
    source: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    close = Llama.close

    def note(llama: Llama) -> None:
        closed.append(llama)
        close(llama)

    monkeypatch.setattr(Llama, "close", note)
    path = tiny.write(tmp_path / "a.gguf", tiny.Tiny(template=source))
    events = bench.do(Load(str(path), SETTINGS))
    if isinstance(events[-1], Loaded):  # only rendering shows what it does
        events = bench.do(Warm((SYSTEM,)))
        assert only(Failed, events).code == "template"
    else:
        assert only(Failed, events).code == "bad_model"
        assert len(closed) == 1


def test_a_template_without_end_is_a_sentence_and_the_engine_lives_on(
    bench: Bench, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.template.RENDER_SECONDS", 0.2)
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    bench.load(tiny.write(tmp_path / "a.gguf", tiny.Tiny(template=endless)))
    failed = only(Failed, bench.do(Warm((SYSTEM,))))
    assert (failed.code, "too long" in failed.sentence) == ("template", True)
    bench.load(tiny_model)
    assert only(Warmed, bench.do(Warm((SYSTEM,)))).tokens > 4


def test_without_a_template_the_fallback_is_stated(bench: Bench, tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "a.gguf", tiny.Tiny(template=None))
    assert "ChatML" in bench.load(path).template
    plain = tiny.write(tmp_path / "b.gguf", tiny.Tiny(template=None, chatml=False))
    assert "User:" in bench.load(plain).template
    assert said(bench.do(Generate(QUESTION, GREEDY)))


def test_a_cancel_while_loading_ends_the_load(bench: Bench, tiny_model: Path) -> None:
    bench.stop.set()
    failed = only(Failed, bench.do(Load(str(tiny_model), SETTINGS)))
    assert "stopped" in failed.sentence
    bench.stop.clear()
    assert bench.load(tiny_model).context == 512
