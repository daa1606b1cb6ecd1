"""When the kiosk counts a screen as left, on a clock that the tests turn."""

from __future__ import annotations

import time

import pytest

from app.ui.idle import COUNTDOWN_S, IdleTimer, running_clock


class Clock:
    """Seconds that go forward when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timer(clock: Clock) -> IdleTimer:
    timer = IdleTimer(300, clock)
    timer.touch()
    return timer


def left(timer: IdleTimer, *, card: bool = False, streaming: bool = False) -> float | None:
    return timer.left(card=card, streaming=streaming)


def test_a_screen_that_nobody_has_touched_waits_for_ever(clock: Clock) -> None:
    timer = IdleTimer(300, clock)
    clock.now += 1e6
    assert left(timer) is None


@pytest.mark.parametrize(
    ("card", "seconds", "expected"),
    [
        (False, 299, None),
        (False, 300, COUNTDOWN_S),
        (False, 359, 1.0),
        (False, 360, 0.0),
        (False, 1e9, 0.0),
        (True, 599, None),
        (True, 600, COUNTDOWN_S),
        (True, 660, 0.0),
    ],
)
def test_five_minutes_then_a_countdown_and_ten_with_a_card(
    clock: Clock, timer: IdleTimer, card: bool, seconds: float, expected: float | None
) -> None:
    clock.now += seconds
    assert left(timer, card=card) == expected


def test_a_key_in_the_countdown_begins_anew(clock: Clock, timer: IdleTimer) -> None:
    clock.now += 359
    timer.touch()
    clock.now += 299
    assert left(timer) is None


def test_an_answer_that_streams_counts_as_somebody_there(clock: Clock, timer: IdleTimer) -> None:
    for _ in range(100):
        clock.now += 50
        assert left(timer, streaming=True) is None
    clock.now += 299
    assert left(timer) is None
    clock.now += 1
    assert left(timer) == COUNTDOWN_S


def test_setting_the_time_of_day_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = running_clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= running_clock() - before < 5
