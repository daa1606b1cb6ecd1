"""The pace of drawing and the speeds that are shown."""

from __future__ import annotations

import pytest

from app.assistant.events import Prefill, Text
from app.ui.confirm import SECONDS, PressTwice
from app.ui.pace import FlushPace, Speed, TurnMeter
from tests.app.ui.fakes import finished


def test_pace_waits_five_times_the_last_cost_and_never_less_than_120_ms() -> None:
    pace = FlushPace()
    assert pace.interval == 0.12
    pace.took(0.1)
    assert pace.interval == pytest.approx(0.5)
    pace.took(0.001)
    assert pace.interval == 0.12


def test_nothing_is_known_before_the_first_event() -> None:
    assert TurnMeter(asked_at=3.0).speed == Speed()


def test_live_speed_is_counted_from_the_first_text() -> None:
    meter = TurnMeter(asked_at=10.0)
    meter.saw(Prefill(50, 100, 0), 10.5)
    assert meter.speed.prefill == pytest.approx(100.0)
    meter.saw(Prefill(100, 100, 0), 11.0)
    meter.saw(Text("a", 2), 12.0)
    assert meter.speed.decode is None
    meter.saw(Text("b", 12), 12.5)
    assert meter.speed.first_token_s == pytest.approx(2.0)
    assert meter.speed.decode == pytest.approx(20.0)
    assert meter.speed.prefill == pytest.approx(50.0)


def test_the_engines_own_times_are_shown_at_the_end() -> None:
    meter = TurnMeter(asked_at=0.0)
    meter.saw(Text("a", 1), 1.5)
    meter.saw(finished(generated=30), 9.0)
    assert meter.speed == Speed(decode=20.0, prefill=100.0, first_token_s=1.5)


def test_no_speed_is_made_of_nothing() -> None:
    meter = TurnMeter(asked_at=0.0)
    meter.saw(finished("cancelled", generated=0), 1.0)
    assert meter.speed.decode is None


def test_press_twice() -> None:
    now = [0.0]
    press = PressTwice(lambda: now[0])
    assert not press.again()
    now[0] = SECONDS + 0.1
    assert not press.again()
    now[0] += SECONDS
    assert press.again()
    assert not press.again()
