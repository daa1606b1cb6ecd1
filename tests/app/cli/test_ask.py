"""`bedside ask`: the answer alone on stdout, everything else on stderr, and an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.assistant.grounding import Reference
from app.assistant.rulebook import red_flags
from app.assistant.triage import Triage
from app.cli import root
from app.cli.options import Choices
from app.engine.messages import Event, Failed, Load, Prefill, Text
from app.engine.ports import failure
from app.errors import BadInputError, EngineError, ResourceError
from tests.app.assistant.fakes import DIED, FINISHED, FakeEngine

BEDSIDE = [sys.executable, "-m", "app"]
NOTICE = "Information, not a diagnosis. In an emergency call your local emergency number.\n"


def invoke(*arguments: str, **fields: str) -> Result:
    return CliRunner().invoke(root, list(arguments), **fields)  # type: ignore[arg-type]


def run(
    *arguments: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, over the real engine."""
    return subprocess.run(
        [*BEDSIDE, *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_one_answer_over_the_real_engine(home: Path, nonsense_model: Path) -> None:
    arguments = ["ask", "--model", str(nonsense_model), "--temperature", "0", "--max-tokens", "12"]
    first = run(*arguments, "What is glaucoma?")
    second = run(*arguments, "-", stdin=b"What is glaucoma?")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout != b"\n"
    assert first.stdout.endswith(b"\n")
    assert first.stderr.decode().endswith(NOTICE)
    logs = list((home / "state").rglob("*.jsonl"))
    assert len(logs) == 2 and b"glaucoma" not in b"".join(map(Path.read_bytes, logs))


def test_bytes_that_are_no_text_are_read_and_written(home: Path, nonsense_model: Path) -> None:
    """A letter in Latin-1, a terminal that knows ASCII alone, an argument of any bytes."""
    arguments = ["ask", "--no-log", "--model", str(nonsense_model), "--max-tokens", "40"]
    wild = [*arguments, "--temperature", "2"]
    done = run(*wild, "-", stdin="Ärztin".encode("latin-1"), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and done.stdout.strip()
    typed = subprocess.run(
        [*BEDSIDE, *arguments, b"caf\xe9?"], capture_output=True, timeout=60, env=os.environ
    )
    assert typed.returncode == 0
    assert not (home / "state" / "bedside" / "runs").exists()


def test_ctrl_c_of_the_terminal_ends_it_and_the_engine(home: Path, nonsense_model: Path) -> None:
    process = subprocess.Popen(
        [*BEDSIDE, "ask", "--model", str(nonsense_model), "--max-tokens", "400", "Why?" * 60],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "BEDSIDE_SAMPLING__GUARD_REPETITION": "false"},
    )
    end = time.monotonic() + 20
    while not _engines_of(process.pid) and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode in (0, 130), said  # 0 where the answer was already there
    assert b"Traceback" not in said
    assert not _engines_of(process.pid)


def _engines_of(pid: int) -> list[list[bytes]]:
    """Command lines of the engines that a process started."""
    return [words for words in _engines() if str(pid).encode() in words]


def _engines() -> list[list[bytes]]:
    """Command lines of all engines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"app.engine" in words:
            found.append(words)
    return found


def test_a_card_that_stands_alone_is_the_answer(scripted: Callable[..., FakeEngine]) -> None:
    """With the crisis that was told in the same breath."""
    engine = scripted(triage=Triage(red_flags, "patient", "112", "0800 111"))
    done = invoke("ask", "I have crushing chest pain and I want to kill myself")
    assert done.exit_code == 0 and engine.asked == []
    assert done.stdout.index("Call 112 now.") < done.stdout.index("Call 0800 111.")
    assert done.stderr == "The model was not asked.\nThe notice.\n"


def test_what_would_make_it_dangerous_is_asked_for(scripted: Callable[..., FakeEngine]) -> None:
    scripted(triage=Triage(red_flags, "patient"))
    done = invoke("ask", "I have a headache")
    assert done.stdout == "Yes.\n"
    head, *questions, notice = done.stderr.splitlines()
    assert head == "If one of these is so, ask again and say it:"
    assert 2 <= len(questions) <= 4
    assert all(one.startswith("- ") and one.endswith("?") for one in questions)
    assert notice == "The notice."


def test_a_defect_while_the_model_is_made_ready_is_told_as_one(
    scripted: Callable[..., FakeEngine],
) -> None:
    def missing() -> Reference:
        raise ImportError("no such module")

    engine = scripted(reference=missing)
    done = invoke("ask", "What is glaucoma?")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "This is a defect of Bedside (ImportError)" in done.stderr
    assert "too long" not in done.stderr and engine.closed


def test_notices_go_to_stderr(scripted: Callable[..., FakeEngine]) -> None:
    scripted(demonstration=True)
    done = invoke("ask", "Why?")
    assert (done.exit_code, done.stdout) == (0, "Yes.\n")
    assert done.stderr == "Demonstration model: do not rely on this.\nThe notice.\n"


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        (Failed("bad_model", "It is no model."), 3),
        (Failed("memory", "Too little.", {"needed": 9, "available": 5}), 4),
        (Failed("internal", "It failed."), 5),
        (DIED, 5),
    ],
)
def test_a_model_that_does_not_load_is_a_sentence_and_a_code(
    failed: Failed, code: int, scripted: Callable[..., FakeEngine]
) -> None:
    engine = scripted()
    engine.loading = [failed]
    done = invoke("ask", "Why?")
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"{failed.sentence}\n")
    assert engine.closed


def test_an_answer_that_breaks_off_is_shown_and_told(
    scripted: Callable[..., FakeEngine],
) -> None:
    engine = scripted()
    engine.answer = [Text("Yes, ", 1), DIED]
    done = invoke("ask", "Why?")
    assert (done.exit_code, done.stdout) == (5, "Yes, \n")
    assert done.stderr.startswith("The engine was killed from outside.")


def test_a_failure_names_its_kind() -> None:
    assert isinstance(failure(Failed("context", "x")), BadInputError)
    assert isinstance(failure(Failed("template", "x")), EngineError)
    assert isinstance(failure(Failed("memory", "x")), ResourceError)


@pytest.mark.parametrize("question", ["", "  \n", "-"])
def test_no_question_is_wrong_use(question: str, scripted: Callable[..., FakeEngine]) -> None:
    scripted()
    done = invoke("ask", question, input=" ")
    assert (done.exit_code, done.stderr) == (2, "There is no question to answer.\n")


def test_a_question_that_is_too_long_is_bad_input(scripted: Callable[..., FakeEngine]) -> None:
    scripted()
    done = invoke("ask", "-", input="x" * 1_000_000)
    assert done.exit_code == 3 and "too long" in done.stderr


def test_an_unknown_model_is_wrong_use(home: Path) -> None:
    done = invoke("ask", "--model", "gpt-9", "Why?")
    assert done.exit_code == 2 and done.stderr.count("\n") == 1


def test_a_file_that_is_no_model_is_bad_input(home: Path) -> None:
    (home / "page.gguf").write_text("<!DOCTYPE html><html></html>")
    done = run("ask", "--model", str(home / "page.gguf"), "Why?")
    assert done.returncode == 3 and done.stdout == b""
    assert done.stderr.count(b"\n") == 1 and b"Traceback" not in done.stderr


def test_ctrl_c_stops_the_answer_and_ends_with_130(
    scripted: Callable[..., FakeEngine], ctrl_c: Callable[..., None]
) -> None:
    engine = scripted()
    engine.answer = [Prefill(0, 5, 0), Text("Yes, ", 1), Text("but", 2), FINISHED]
    engine.answering.clear()
    ctrl_c(lambda: engine.asked)
    done = invoke("ask", "Why?")
    assert done.exit_code == 130 and "You stopped the answer." in done.stderr
    assert "The notice." in done.stderr and engine.closed


def test_ctrl_c_while_loading_ends_with_130(
    scripted: Callable[..., FakeEngine],
    ctrl_c: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = scripted()

    async def load(_load: Load) -> AsyncGenerator[Event, None]:
        engine.counting.clear()
        await engine.counting.wait()
        yield DIED

    monkeypatch.setattr(engine, "load", load)
    ctrl_c(lambda: not engine.counting.is_set())
    done = invoke("ask", "Why?")
    assert (done.exit_code, done.stdout, engine.closed) == (130, "", True)


def test_a_defect_is_one_sentence_without_the_question(
    scripted: Callable[..., FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_args: object) -> AsyncGenerator[Event, None]:
        raise KeyError("Zyxomma")

    monkeypatch.setattr(scripted(), "generate", defect)
    done = invoke("ask", "Zyxomma?")
    assert done.exit_code == 1
    assert "This is a defect of Bedside (KeyError)" in done.stderr
    assert "Zyxomma" not in done.stderr and "Traceback" not in done.stderr
    done = invoke("--debug", "ask", "Zyxomma?")
    assert done.exit_code == 1 and "Traceback" in done.stderr


@pytest.mark.parametrize("before", [True, False])
def test_options_hold_before_and_behind_the_command(
    before: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--no-log` in front of the command must not be passed over in silence."""
    seen: list[Choices] = []

    def build(choices: Choices, *_args: object) -> None:
        seen.append(choices)
        raise EngineError("Enough seen.")

    monkeypatch.setattr("app.cli.house.build", build)
    options = ["--no-log", "--model", "a.gguf", "--context", "300"]
    invoke(*([*options, "ask", "Why?"] if before else ["ask", *options, "Why?"]))
    (choices,) = seen
    assert choices.settings()["monitor.log"] is False
    assert (choices.settings()["model"], choices.settings()["context"]) == ("a.gguf", 300)
