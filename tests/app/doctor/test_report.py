"""The checks in sentences, as JSON, and as an exit code."""

from __future__ import annotations

import json

import pytest

from app import doctor
from app.doctor.check import attention, not_checked, ok
from app.errors import CheckError

CHECKS = (
    ok("board", "A board."),
    attention("supply", "It is weak.", "Use a stronger one."),
    not_checked("font", "It does not tell."),
)


def test_each_check_is_a_line_with_its_advice_below() -> None:
    assert list(doctor.lines(CHECKS)) == [
        "ok           board: A board.",
        "attention    supply: It is weak.",
        "             Use a stronger one.",
        "not checked  font: It does not tell.",
    ]


def test_json_holds_every_field() -> None:
    found = json.loads(doctor.as_json(CHECKS))["checks"]
    assert [check["state"] for check in found] == ["ok", "attention", "not checked"]
    assert set(found[0]) == {"id", "state", "found", "advice", "essential"}


def test_only_something_essential_fails_the_command() -> None:
    doctor.verdict(CHECKS)
    with pytest.raises(CheckError, match="memory") as caught:
        doctor.verdict((*CHECKS, attention("memory", "Too little.", "", essential=True)))
    assert caught.value.exit_code == 6
