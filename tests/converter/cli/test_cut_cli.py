"""`saliency` and `plan` as a person runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.errors import UsageError
from converter.cli import app
from converter.cli.plan import parse_bytes
from converter.cut.plan import read_plan
from converter.cut.saliency_file import read_saliency, write_saliency
from tests.converter.checkpoints import Recipe
from tests.converter.cut.conftest import Measured, measured

RUN = CliRunner()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    found = measured(tmp_path_factory.mktemp("cli"), Recipe(layers=3))
    write_saliency(found.folder.parent / "s.gguf", found.saliency)
    return found


def _run(*arguments: object) -> tuple[int, str, str]:
    result = RUN.invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def test_from_a_checkpoint_to_a_plan(model: Measured, tmp_path: Path) -> None:
    saliency, plan = tmp_path / "s.gguf", tmp_path / "plan.json"
    options = ("--text", model.text, "--tokens", 72, "--chunk", 24, "--threads", 1)
    code, out, _ = _run(
        "saliency", model.folder, "-o", saliency, *options, "--cache", tmp_path / "cache"
    )
    assert code == 0
    assert "72 tokens" in out and "layer   2  turn" in out
    assert read_saliency(saliency).model_sha256 == model.saliency.model_sha256
    code, out, _ = _run("plan", model.folder, saliency, "-o", plan, "--neurons", "0.5")
    assert code == 0
    assert read_plan(plan).got["neurons"] == 0.5
    for told in ("asked: neurons 0.5", "layers 0-2: 256 neurons, 2 head groups", "Q4_K_M"):
        assert told in out
    assert "pi5-8gb" in out and "tokens/s" in out


def test_a_layer_is_left_out_where_perplexity_says_so(
    model: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code, out, _ = _run(
        "plan", model.folder, model.folder.parent / "s.gguf", "--layers", "1", "--text", model.text,
        "--chunks", "1",
    )  # fmt: skip
    assert code == 3, "the text is shorter than a window"
    long = model.text.with_name("long.txt")
    long.write_text(model.text.read_text() * 5)
    code, out, _ = _run(
        "plan", model.folder, model.folder.parent / "s.gguf", "--layers", "1", "--text", long,
        "--chunks", "1", "--context", "128",
    )  # fmt: skip
    assert code == 0
    assert out.count("log-perplexity") == 3
    assert not list(tmp_path.glob("bedside/converter/*")), "each model is taken away again"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("plan", "MODEL", "S", "--neurons", "1.5"), 2, "from 0 up to, but not with, 1"),
        (("plan", "MODEL", "S", "--bytes", "1KB"), 2, "the smallest has"),
        (("plan", "MODEL", "S", "--bytes", "lots"), 2, "is no size"),
        (("plan", "MODEL", "S", "--score", "best"), 2, "no score 'best'"),
        (("plan", "MODEL", "TEXT"), 3, "no saliency file"),
        (("plan", "OTHER", "S"), 3, "measured on another model"),
        (("saliency", "MODEL", "-o", "OUT", "--text", "LATIN"), 3, "Latin-1"),
        (("saliency", "MODEL", "-o", "OUT", "--text", "NUMBERS"), 3, "no words"),
        (("saliency", "MODEL", "-o", "OUT", "--text", "TEXT", "--chunk", "999"), 3, "256 tokens"),
        (("saliency", "TEXT", "-o", "OUT", "--text", "TEXT"), 3, "no GGUF model"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    model: Measured, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "latin.txt").write_bytes("Grüner Star".encode("latin-1"))
    (tmp_path / "numbers.txt").write_text("1 2 3")
    names = {
        "MODEL": model.folder,
        "OTHER": model.file,
        "S": model.folder.parent / "s.gguf",
        "TEXT": model.text,
        "LATIN": tmp_path / "latin.txt",
        "NUMBERS": tmp_path / "numbers.txt",
        "OUT": tmp_path / "out.gguf",
    }
    named: list[object] = [names.get(argument, argument) for argument in arguments]
    if arguments[0] == "saliency":
        named += ["--cache", tmp_path / "cache", "--threads", 1]
    found, _, told = _run(*named)
    assert (found, told.count("\n")) == (code, 1)
    assert sentence in told
    assert not (tmp_path / "out.gguf").exists()


def test_a_seed_that_no_file_can_say_is_refused_before_anything_is_measured(
    model: Measured, tmp_path: Path
) -> None:
    out = tmp_path / "s.gguf"
    code, _, told = _run(
        "saliency", model.file, "-o", out, "--text", model.text, "--seed", 3_000_000_000,
        "--chunk", 24, "--tokens", 72, "--threads", 1,
    )  # fmt: skip
    assert code == 2
    assert "--seed" in told and "2147483647" in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "size"), [("1.2GB", 1_200_000_000), ("900 mb", 900_000_000), ("1KiB", 1024), ("7", 7)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1GB", "1.2.3GB", "12 parsecs", "nan"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        parse_bytes(text)


def test_interrupt_keeps_what_was_measured(model: Measured, tmp_path: Path) -> None:
    out, text = tmp_path / "s.gguf", tmp_path / "long.txt"
    text.write_text(model.text.read_text() * 2000)
    command = [
        sys.executable, "-c", _INTERRUPTED, "saliency", str(model.file), "-o", str(out),
        "--text", str(text), "--tokens", "400000", "--chunk", "16", "--threads", "1",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=dict(os.environ), check=False
    )
    assert done.returncode == 130, done.stderr
    assert "stopped early" in done.stdout
    found = read_saliency(out)
    assert not found.complete
    assert found.tokens == 3 * 16


_INTERRUPTED = f"""
import os
from converter.cut import measuring
from converter.cli import main
run, runs = measuring.Runner.run, []
def third(self, tokens):
    run(self, tokens)
    runs.append(tokens)
    if len(runs) == 3:
        os.kill(os.getpid(), {int(signal.SIGINT)})
measuring.Runner.run = third
main()
"""
