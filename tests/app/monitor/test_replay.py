"""A recorded run plays as a board: its samples at their times, its gaps as gaps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.errors import BadInputError
from app.monitor.replay import Replay
from tests.app.monitor.report.runs import HEADER, log, sample


def test_samples_come_at_their_times_and_speed_shortens_them() -> None:
    now = [100.0]
    board = Replay(log(3.0, 4.0, 5.0, 6.0), 2.0, lambda: now[0])
    assert board.seconds == 1.5
    seen = []
    for step in (0.0, 0.5, 0.4, 0.6):
        now[0] += step
        seen.append(board.read(None).power_w)
    assert seen == [3.0, 4.0, 4.0, 6.0]
    reading = board.read(None)
    assert (reading.power_source, reading.at, reading.throttled) == ("pmic", now[0], 0)
    assert board.kind is not None and board.kind.coverage == HEADER.power.coverage  # type: ignore[union-attr]


def test_after_the_end_and_in_gaps_nothing_is_known() -> None:
    now = [0.0]
    board = Replay(log(samples=(sample(0, 3.0), sample(60, 4.0))), 1.0, lambda: now[0])
    board.read(None)
    now[0] = 30.0
    assert "nothing was recorded" in board.read(None).unavailable["power_w"]
    now[0] = 90.0
    assert "has ended" in board.read(None).unavailable["power_w"]


def test_what_was_not_recorded_keeps_its_reason() -> None:
    header = replace(HEADER, power=None, unavailable={"power_w": "no sensor"})
    reading = Replay(log(None, header=header), 1.0, lambda: 0.0).read(None)
    assert reading.power_w is None and reading.unavailable["power_w"] == "no sensor"
    assert reading.unavailable["gpu_load"] == "it was not recorded"


def test_a_run_without_samples_cannot_be_played() -> None:
    with pytest.raises(BadInputError):
        Replay(log(), 1.0, lambda: 0.0)
