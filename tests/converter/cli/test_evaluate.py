"""`bedside-convert evaluate` as a person types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.quantise import FileType
from tests.converter.cli.test_cli import run
from tests.shared import ROOT

MANY = 150
OPTIONS = {"A": "eye", "B": "lung", "C": "skin"}


@pytest.fixture(scope="module")
def model(recipe_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "model.gguf"
    write(lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.BF16), out, threads=1)
    return out


def organs(path: Path, count: int, first: int = 0) -> Path:
    """MedQA's compact form, with questions of our own."""
    rows = [
        {"question": f"Organ {number}?", "options": OPTIONS, "answer": "ABC"[number % 3]}
        for number in range(first, first + count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def studies(path: Path) -> Path:
    """PubMedQA's compact form."""
    rows = [
        {"id": str(number), "question": "Is it?", "contexts": [f"So {number}."], "answer": answer}
        for number, answer in enumerate(("yes", "no", "maybe"))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_two_sets_in_one_command(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "table"
    ended = run(
        *("evaluate", model, "--task", "pubmedqa,medqa", "--threads", 1, "-o", out),
        *("--data", organs(tmp_path / "o.jsonl", 7), "--data", studies(tmp_path / "s.jsonl")),
    )
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.index("pubmedqa: model.gguf") < ended.stdout.index("medqa: model.gguf, ask")
    record = json.loads((tmp_path / "table.json").read_text())
    assert [len(one["outcomes"]) for one in record["evaluations"]] == [3, 7]
    errors = (tmp_path / "table-errors.jsonl").read_text()
    assert '"question": "Organ 0?"' in errors
    assert "Organ 0?" not in (tmp_path / "table.json").read_text()
    assert not list(tmp_path.glob("*.part*")), "what was kept on the way is in the report"


def test_every_way_of_asking(model: Path, tmp_path: Path) -> None:
    data, train = organs(tmp_path / "o.jsonl", 4), organs(tmp_path / "t.jsonl", 6)
    passages = tmp_path / "p.jsonl"
    passages.write_text(
        "".join(
            json.dumps({"question": f"Organ {number}?", "passages": ["It is."]}) + "\n"
            for number in range(4)
        )
    )
    for options in (
        ("--mode", "text", "--no-normalise", "--no-template"),
        ("--mode", "write", "--write-tokens", 3),
        ("--shots", 1, "--train", train),
        ("--context", "reference", "--passages", passages, "--limit", 2, "--seed", 9),
    ):
        ended = run("evaluate", model, "--data", data, "--threads", 1, *options)
        assert ended.exit_code == 0, ended.stderr
        left_out = "4 training questions of medqa are asked themselves"
        assert (left_out in ended.stderr) == ("--shots" in options)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--task", "medmcqa"), 3, "The files hold medqa, but --task says medmcqa"),
        (("--mode", "guess"), 2, "There is no --mode guess; there are letter, text, write"),
        (("--context", "all"), 2, "There is no --context all"),
        (("--context", "reference"), 2, "give both"),
        (("--train", "{tmp}/o.jsonl"), 2, "--train does nothing without --shots"),
        (("--system", "Be brief.", "--no-template"), 2, "does nothing without --template"),
        (("--shots", "1"), 2, "name their file with --train"),
        (("--resume",), 2, "--resume does nothing without -o NAME"),
        (("-o", "{tmp}/none/table"), 2, "There is no folder"),
        (("-o", "{tmp}/" + "x" * 200), 2, "too long for the name of several files"),
        (("--data", "x" * 300), 3, "cannot be read"),
        (("--describe", "{tmp}/none.toml"), 3, "cannot be read"),
    ],
)
def test_wrong_use_is_a_sentence(
    arguments: tuple[str, ...], code: int, sentence: str, model: Path, tmp_path: Path
) -> None:
    filled = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    ended = run("evaluate", model, "--data", organs(tmp_path / "o.jsonl", 3), *filled)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_what_is_read_is_not_written_over(model: Path, tmp_path: Path) -> None:
    data = organs(tmp_path / "organs.json", 3)
    train = organs(tmp_path / "t-errors.jsonl", 3, first=5)
    before = data.read_bytes()
    command = ("evaluate", model, "--data", data, "--train", train, "--shots", 1)
    for name in ("organs", "t"):
        ended = run(*command, "-o", tmp_path / name)
        assert ended.exit_code == 2
        assert "is read itself and would be lost" in ended.stderr
    assert data.read_bytes() == before


def test_a_seed_that_a_record_cannot_hold_is_refused_before_the_work(
    model: Path, tmp_path: Path
) -> None:
    data = organs(tmp_path / "o.jsonl", 3)
    assert run("evaluate", model, "--data", data, "--seed", 10**30).exit_code == 2


def test_a_report_that_finds_no_room_says_where_the_answers_are(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("evaluate", model, "--data", organs(tmp_path / "o.jsonl", 3), "--threads", 1)
    with monkeypatch.context() as patched:
        patched.setattr("app.files.os.fsync", _full)
        ended = run(*command, "-o", tmp_path / "table")
    assert ended.exit_code == 4
    assert "The disk filled up while" in ended.stderr
    assert "the same command with --resume writes the report." in ended.stderr
    ended = run(*command, "-o", tmp_path / "table", "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert not list(tmp_path.glob("*.part*"))


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a run of MANY questions that nobody ends writes, without its seconds."""
    root = tmp_path_factory.mktemp("whole")
    data = organs(root / "o.jsonl", MANY)
    ended = run("evaluate", model, "--data", data, "--threads", 1, "-o", root / "whole")
    assert ended.exit_code == 0, ended.stderr
    return timeless(root / "whole.json")


def timeless(record: Path) -> Any:
    return {**json.loads(record.read_text()), "seconds": None}


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_ended_goes_on_with_resume(
    blow: signal.Signals, model: Path, whole: Any, tmp_path: Path
) -> None:
    data, out = organs(tmp_path / "o.jsonl", MANY), tmp_path / "table"
    command = ["evaluate", str(model), "--data", str(data), "--threads", "1", "-o", str(out)]
    kept = tmp_path / "table-medqa.part.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "converter", *command], stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if kept.exists() and kept.read_bytes().count(b"\n") > 2:
            break
        time.sleep(0.01)
    process.send_signal(blow)
    _, told = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[blow]
    assert not (tmp_path / "table.json").exists()
    if blow is not signal.SIGKILL:
        assert (
            f"of {MANY} answers are kept in table-medqa.part.jsonl; the same command with" in told
        )
    again = run(*command)
    assert again.exit_code == 2
    assert "go on with --resume" in again.stderr
    ended = run(*command, "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert timeless(tmp_path / "table.json") == whole
    assert not kept.exists()
