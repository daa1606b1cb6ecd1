"""`bedside chat --plain`: line by line, over a pipe as over a screen reader."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.assistant.rulebook import red_flags
from app.assistant.triage import Triage
from app.cli import root
from app.engine.messages import Event, Load, Loading, Text
from tests.app.assistant.fakes import DIED, FINISHED, FakeEngine

PLAIN = ["chat", "--plain"]
HELP = (
    "Commands: /new forgets the conversation, /again answers once more, /crisis shows whom to call "
    "in a crisis, /quit leaves."
)


def chat(lines: str) -> tuple[int, list[str]]:
    """What is said to these lines, after the greeting."""
    done = CliRunner().invoke(root, PLAIN, input=lines)
    greeting, *said = done.stdout.splitlines()
    assert greeting == "The notice." and said.pop(0) == HELP
    return done.exit_code, said


def test_a_conversation_over_the_real_engine(home: Path, nonsense_model: Path) -> None:
    lines = b"What is it?\n/again\n\xc4rztin?\n/new\nAnd now?\n"  # a line in Latin-1 amid
    done = subprocess.run(
        [sys.executable, "-m", "app", *PLAIN, "--no-log", "--model", str(nonsense_model)],
        input=lines,
        capture_output=True,
        timeout=60,
        env={
            **os.environ,
            "BEDSIDE_SAMPLING__MAX_TOKENS": "8",
            "PYTHONIOENCODING": "utf-8:strict",
        },
    )
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode()
    assert said.count("Bedside: ") == 4
    assert "The earlier one is forgotten." in said
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", said)


def test_answers_come_after_their_name(scripted: Callable[..., FakeEngine]) -> None:
    scripted()
    assert chat("What?\n\nWhy?\n") == (0, ["Bedside: Yes.", "Bedside: Yes."])


def test_every_answer_of_a_demonstration_model_says_so(
    scripted: Callable[..., FakeEngine],
) -> None:
    scripted(demonstration=True)
    sentence = "Demonstration model: do not rely on this."
    assert chat("What?\nWhy?\n")[1] == ["Bedside: Yes.", sentence] * 2


def test_a_demonstration_model_that_said_nothing_needs_no_sentence(
    scripted: Callable[..., FakeEngine],
) -> None:
    scripted(demonstration=True).answer = [DIED]
    assert not [line for line in chat("What?\n")[1] if "Demonstration" in line]


def test_commands(scripted: Callable[..., FakeEngine]) -> None:
    engine = scripted()
    code, said = chat("/again\nWhat?\n/again\n/help\n/new\nWhy?\n/quit\nnever\n")
    assert code == 0
    assert said == [
        "Nothing has been asked yet.",
        "Bedside: Yes.",
        "Bedside: Yes.",
        HELP,
        "A new conversation. The earlier one is forgotten.",
        "Bedside: Yes.",
    ]
    assert [len(messages) for messages, _ in engine.asked] == [2, 2, 2]
    assert engine.closed


def test_a_yes_to_a_question_raises_the_card(scripted: Callable[..., FakeEngine]) -> None:
    scripted(triage=Triage(red_flags, "patient", "112", "0800 111"))
    code, said = chat("I have a headache\n/no\n/yes\n/new\n/yes\n")
    assert code == 0
    first, second, after = [line for line in said if line.startswith("? ")]
    assert first.endswith("(/yes or /no, or in your own words; 3 more)")
    assert first != second and second.endswith("words; 2 more)")
    card = said.index(after) - said.index(second)
    assert card > 2 and "112" in said[said.index(second) + 2]
    assert said[-2:] == [
        "A new conversation. The earlier one is forgotten.",
        "No question waits for a yes or a no.",
    ]


def test_whom_to_call_in_a_crisis_is_a_command_away(scripted: Callable[..., FakeEngine]) -> None:
    scripted(triage=Triage(red_flags, "patient", "112", "0800 111"))
    said = chat("/crisis\n")[1]
    assert said[0] == "HELP IN A CRISIS"
    assert "0800 111" in said[1]


def test_a_failure_is_told_and_the_chat_goes_on(scripted: Callable[..., FakeEngine]) -> None:
    engine = scripted()
    engine.answer = [Text("Yes, ", 1), DIED]
    code, said = chat("What?\nWhy?\n" + "x" * 20_000 + "\n")
    assert code == 0
    assert said[0] == "Bedside: Yes, " and "conversation is whole" in said[1]
    assert said[2] == "Bedside: Yes, "
    assert "too long" in said[-1]


def test_markup_is_no_markup(scripted: Callable[..., FakeEngine]) -> None:
    scripted().answer = [Text("[/] [red]a[/red] \x1b[2J", 1), FINISHED]
    assert chat("[link=x]?\n")[1] == ["Bedside: [/] [red]a[/red] "]


def test_ctrl_c_stops_the_answer_and_not_the_chat(
    scripted: Callable[..., FakeEngine], ctrl_c: Callable[..., None]
) -> None:
    engine = scripted()
    engine.answer = [Text("Yes, ", 1), Text("but", 2), FINISHED]
    engine.answering.clear()
    ctrl_c(lambda: engine.asked)
    code, said = chat("What?\nWhy?\n")
    assert code == 0
    assert said == ["Bedside: Yes, ", "You stopped the answer.", "Bedside: Yes, but"]


def test_ctrl_c_while_the_model_is_loaded_ends_the_loading_before_the_engine(
    scripted: Callable[..., FakeEngine],
    ctrl_c: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = scripted()
    steps: list[str] = []

    async def load(_load: Load) -> AsyncGenerator[Event, None]:
        try:
            yield Loading(0.5)
            steps.append("loading")
            await asyncio.Event().wait()
        finally:
            steps.append("after the engine" if engine.closed else "before the engine")

    monkeypatch.setattr(engine, "load", load)
    ctrl_c(lambda: steps)
    assert CliRunner().invoke(root, PLAIN).exit_code == 130
    assert steps == ["loading", "before the engine"] and engine.closed


def test_ctrl_c_at_the_prompt_leaves(
    scripted: Callable[..., FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    engine = scripted()
    monkeypatch.setattr("app.cli.plain._read_line", interrupt)
    assert CliRunner().invoke(root, PLAIN).exit_code == 130
    assert engine.closed


def test_a_model_that_does_not_load_ends_the_chat(scripted: Callable[..., FakeEngine]) -> None:
    engine = scripted()
    engine.loading = [DIED]
    done = CliRunner().invoke(root, PLAIN, input="What?\n")
    assert (done.exit_code, done.stderr) == (5, f"{DIED.sentence}\n")
    assert engine.closed


def test_without_a_terminal_the_screen_is_refused_with_advice(home: Path) -> None:
    done = CliRunner().invoke(root, [])
    assert done.exit_code == 2 and "bedside chat --plain" in done.stderr


def test_plain_holds_before_and_behind_the_command(scripted: Callable[..., FakeEngine]) -> None:
    for arguments in (["--plain"], ["--plain", "chat"], ["chat", "--plain"]):
        scripted()
        done = CliRunner().invoke(root, arguments, input="What?\n")
        assert "Bedside: Yes." in done.stdout
