"""What the proof takes for a success: a board that plays its part badly must not pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.prove import steps
from deploy.prove.machine import PI_4, PI_5, Board, Done, cpuinfo_of
from deploy.prove.telling import Telling

SIGILL = 132
REFUSED = "The processor lacks asimddp (a Raspberry Pi 4 does); the libraries would crash on it."
Play = Callable[..., Done]


@dataclass(frozen=True, slots=True)
class PlayedBoard(Board):
    """A board that answers as a test tells it."""

    play: Play = field(kw_only=True)

    def run(self, *command: str, stdin: str = "") -> Done:
        return self.play(*command)


def board(play: Play) -> PlayedBoard:
    nowhere = Path("/nowhere")
    return PlayedBoard(nowhere, nowhere, nowhere, play=play)


def bare(installer: Done, left: str = "") -> PlayedBoard:
    """A board on which the installer ends so, and one path is there afterwards."""

    def play(*command: str) -> Done:
        if command[0] == "test":
            return Done(0 if command[-1] == left else 1, "", "")
        return installer

    return board(play)


@pytest.mark.parametrize(
    ("installer", "left", "fails"),
    [
        (Done(2, "", REFUSED), "", False),
        (Done(SIGILL, "", "Illegal instruction"), "", True),
        (Done(2, "", "There is no option --board"), "", True),
        (Done(0, "Bedside is installed.", REFUSED), "", True),
        (Done(2, "", REFUSED), "/opt/bedside", True),
    ],
)
def test_another_processor(installer: Done, left: str, fails: bool) -> None:
    telling = Telling()
    steps.refuses_another_processor(bare(installer, left), "bundle", "SHA256:x", telling)
    assert telling.failed is fails


@pytest.mark.parametrize(
    ("status", "words", "fails"),
    [(3, "A file is damaged.", False), (0, "Installed.", True), (1, "Traceback", True)],
)
def test_damage(status: int, words: str, fails: bool) -> None:
    telling = Telling()
    played = bare(Done(status, "", words))
    steps.refuses_damage(played, "bundle", "wheels/x.whl", "SHA256:x", telling)
    assert telling.failed is fails


@pytest.mark.parametrize(("answer", "fails"), [("It is.\n", False), ("It was.\n", True)])
def test_answers(answer: str, fails: bool) -> None:
    telling = Telling()
    played = board(lambda *_: Done(0, answer, "notices"))
    steps.answers(played, {"What is it?": "It is."}, telling)
    assert telling.failed is fails


def test_another_answer_later_is_told() -> None:
    """Where two tokens are all but equally likely, each machine may choose another."""
    telling = Telling()
    played = board(lambda *command: Done(0, f"Same.\nAbout {command[-1]}\n", ""))
    steps.answers(played, {"A?": "Same.\nAbout A?", "B?": "Same.\nAbout C"}, telling)
    assert not telling.failed
    assert [line.split() for line in telling.lines[-3:]] == [
        ["“B?”", "is", "answered", "otherwise."],
        ["board", "About", "B?"],
        ["x86-64", "About", "C"],
    ]


@pytest.mark.parametrize(("logit", "fails"), [(9.1, False), (9.5, True), (float("nan"), True)])
def test_tokens(logit: float, fails: bool) -> None:
    here = json.dumps({"ids": [5, 6, 7], "logits": {"5": 9.0, "6": 9.0}})
    there = json.dumps({"ids": [5, 7, 7], "logits": {"5": 9.0, "6": logit}})
    telling = Telling()
    steps.tokens(board(lambda *_: Done(0, there, "")), here, "models/x.gguf", telling)
    assert telling.failed is fails
    assert any("first 1 are the same" in line for line in telling.lines)


@pytest.mark.parametrize(
    ("after_breaking", "current", "fails"),
    [
        (Done(5, "", "The engine could not start."), "1.0.0", False),
        (Done(0, "Asthma is…", ""), "1.0.0", True),
        (Done(1, "", "This is a defect of Bedside"), "1.0.0", True),
        (Done(5, "", "The engine could not start."), "1.0.1", True),
    ],
)
def test_breaking_and_going_back(after_breaking: Done, current: str, fails: bool) -> None:
    def play(*command: str) -> Done:
        if command[0] == "readlink":
            return Done(0, f"releases/{current}\n", "")
        return after_breaking if "ask" in command else Done(0, "", "")

    telling = Telling()
    steps.broken_and_back(board(play), "1.0.1", "1.0.0", telling)
    assert telling.failed is fails


def test_a_doctor_that_says_nothing() -> None:
    def play(*command: str) -> Done:
        info = "NEON = 1 | FP16_VA = 1 | DOTPROD = 1 | OPENMP = 1 |"
        return Done(0, "" if "doctor" in command else info, "")

    telling = Telling()
    steps.doctored(board(play), telling)
    assert telling.failed


def test_a_baseline_build() -> None:
    checks = json.dumps({"checks": [{"id": "x", "state": "ok", "found": "y"}]})
    telling = Telling()
    played = board(lambda *command: Done(0, checks if "doctor" in command else "NEON = 1 |", ""))
    steps.doctored(played, telling)
    assert telling.failed


def test_processors() -> None:
    """What is laid over /proc/cpuinfo is of the processor that runs."""
    assert "asimddp" in cpuinfo_of(PI_5)
    assert "asimddp" not in cpuinfo_of(PI_4)
