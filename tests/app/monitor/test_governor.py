"""The power budget on simulated boards: ten minutes on a virtual clock, against fixed paces."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest

from app.monitor.governor import BLIND_S, LEAST_DUTY, Governor, Pace, Phase, Work, describe

MINUTES_S = 600.0
STEP_S = 0.1
READ_EVERY = 5
"""Steps: two readings a second."""


@dataclass(frozen=True)
class SimulatedBoard:
    """Power and speed as functions of threads and duty, with lag and noise."""

    idle_w: float
    extra_w: tuple[float, ...]
    """By threads, from one on."""
    speed: tuple[float, ...]
    lag_s: float = 1.0
    noise_w: float = 0.12


PI5 = SimulatedBoard(2.6, (2.1, 3.9), (9.0, 12.4))
"""About the Pi's shape: two threads fill the memory."""
WIDE = SimulatedBoard(3.0, (2.0, 3.6, 5.0, 6.2), (5.0, 9.4, 12.8, 14.0))
CHEAP_THREADS = SimulatedBoard(3.0, (3.0, 3.6, 4.1, 4.5), (4.0, 7.8, 11.0, 13.5), noise_w=0.2)
SLOW_SENSOR = SimulatedBoard(4.0, (3.0, 6.0), (6.0, 9.0), lag_s=1.8, noise_w=0.25)


@dataclass(frozen=True)
class Outcome:
    """What ten minutes brought."""

    tokens: float
    over: float
    """Share of the time in which the 5-second mean of the readings was above the budget."""


def simulate(
    board: SimulatedBoard,
    budget_w: float,
    decide: Callable[[float, float, float], Pace],
    first: Pace,
    seed: int = 1,
) -> Outcome:
    """Run the board; `decide` gets time, reading and tokens so far at each reading."""
    chance = random.Random(seed)
    pace, power, tokens, over, judged = first, board.idle_w, 0.0, 0, 0
    window: deque[float] = deque(maxlen=10)
    for step in range(int(MINUTES_S / STEP_S)):
        goal = board.idle_w + pace.duty * board.extra_w[pace.threads - 1]
        power += (goal - power) * STEP_S / board.lag_s
        tokens += pace.duty * board.speed[pace.threads - 1] * STEP_S
        if step % READ_EVERY == 0:
            reading = power + chance.gauss(0.0, board.noise_w)
            window.append(reading)
            judged += 1
            over += sum(window) / len(window) > budget_w
            pace = decide(step * STEP_S, reading, tokens)
    return Outcome(tokens, over / judged)


def best_fixed(board: SimulatedBoard, budget_w: float) -> float:
    """Tokens of the best setting that does not change and keeps the same rule."""
    duties = [share / 40 for share in range(1, 41)]
    kept = []
    for threads, duty in product(range(1, len(board.speed) + 1), duties):
        if board.idle_w + duty * board.extra_w[threads - 1] > budget_w + board.noise_w:
            continue  # certainly over; saves the test's time

        def stay(*_: float, pace: Pace = Pace(threads, duty)) -> Pace:  # noqa: B008
            return pace

        found = simulate(board, budget_w, stay, Pace(threads, duty))
        if found.over < 0.01:
            kept.append(found.tokens)
    return max(kept)


@pytest.mark.parametrize(
    ("board", "budget_w"),
    [
        (PI5, 5.2),
        (PI5, 6.0),
        (PI5, 9.0),
        (WIDE, 5.5),
        (WIDE, 7.2),
        (CHEAP_THREADS, 6.3),
        (SLOW_SENSOR, 8.0),
    ],
)
def test_the_budget_is_held_and_costs_little(board: SimulatedBoard, budget_w: float) -> None:
    governor = Governor(budget_w, len(board.speed))

    def decide(now: float, watts: float, tokens: float) -> Pace:
        return governor.observe(now, watts, Work("decode", int(tokens)))

    outcome = simulate(board, budget_w, decide, governor.pace)
    best = best_fixed(board, budget_w)
    print(f"{outcome.over:.2%} over, {outcome.tokens / best:.1%} of the best fixed pace")
    assert outcome.over < 0.01
    assert outcome.tokens >= 0.90 * best


def test_answers_with_pauses_are_held_too() -> None:
    governor = Governor(5.2, 2)
    phases: tuple[Phase, ...] = ("idle", "prefill", "decode", "decode")
    over, power = 0, PI5.idle_w
    chance = random.Random(5)
    window: deque[float] = deque(maxlen=10)
    tokens, readings = 0.0, 1200
    for step in range(readings):
        phase = phases[step // 20 % 4]
        pace = governor.pace
        extra = {"idle": 0.0, "prefill": 5.0}.get(phase, PI5.extra_w[pace.threads - 1])
        power += (PI5.idle_w + pace.duty * extra - power) * 0.5
        tokens += 0.5 * pace.duty * PI5.speed[pace.threads - 1] * (phase == "decode")
        window.append(power + chance.gauss(0, 0.1))
        over += sum(window) / len(window) > 5.2
        governor.observe(step / 2, window[-1], Work(phase, int(tokens)))
    assert over / readings < 0.01
    assert tokens > 0


def test_a_budget_below_the_least_is_not_called_held() -> None:
    governor = Governor(2.0, 2)
    for step in range(100):
        governor.observe(step / 2, 3.0, Work("decode", step))
    assert governor.pace.duty == LEAST_DUTY
    assert not governor.held
    assert "OVER" in describe(governor, "pmic", 50.0)


def test_without_readings_there_is_no_control_and_it_is_said() -> None:
    governor = Governor(5.0, 4)
    governor.observe(0.0, 4.0, Work("decode", 0))
    for second in range(1, 20):
        governor.observe(float(second), None, Work("decode", second))
    assert governor.pace == Pace(4, 1.0)
    assert "no reading, so no control" in describe(governor, "pmic", 19.0)
    assert governor.blind(19.0) and not governor.blind(BLIND_S)


def test_a_board_that_was_never_read_is_not_slowed_for_a_moment() -> None:
    governor = Governor(5.0, 4)
    assert governor.observe(0.0, None, Work("decode", 0)) == Pace(4, 1.0)
    assert "no control" in describe(governor, "power", 0.0)
    assert governor.observe(1.0, 4.0, Work("decode", 5)).duty < 1.0


def test_what_it_costs_is_told() -> None:
    governor = Governor(5.2, 1)
    for step in range(200):
        power = 2.6 + governor.pace.duty * 3.9
        governor.observe(step / 2, power, Work("decode", int(step * 5 * governor.pace.duty)))
    assert governor.cost is not None
    now, without = governor.cost
    assert now < without
    assert f"{now:.1f}/{without:.1f} tokens/s" in describe(governor, "pmic", 100.0)
