"""How well the governor holds a power budget on simulated boards, and what it costs.

    python -m tests.bench.power_budget [SEEDS]

Ten minutes of a virtual clock for each board, budget and seed. The bars: the 5-second mean is over
the budget for less than 1 % of the time, and at least 90 % of the tokens of the best setting that
does not change and keeps the same rule.
"""

from __future__ import annotations

import sys

from app.monitor.governor import Governor, Pace, Work
from tests.app.monitor.test_governor import (
    CHEAP_THREADS,
    PI5,
    SLOW_SENSOR,
    WIDE,
    Outcome,
    SimulatedBoard,
    best_fixed,
    simulate,
)

_CASES = (
    ("about a Pi 5", PI5, (5.2, 5.6, 6.0, 6.3, 9.0)),
    ("four threads", WIDE, (5.5, 6.3, 7.2, 8.5)),
    ("cheap threads", CHEAP_THREADS, (5.0, 6.3)),
    ("slow, noisy sensor", SLOW_SENSOR, (6.5, 8.0)),
)


def main() -> None:
    """Print a line for each board and budget: the worst of all seeds."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    for name, board, budgets in _CASES:
        for budget in budgets:
            best = best_fixed(board, budget)
            found = [governed(board, budget, seed) for seed in range(seeds)]
            over = max(one.over for one in found)
            share = min(one.tokens for one in found) / best
            verdict = "within" if over < 0.01 and share >= 0.9 else "OUTSIDE"
            print(
                f"{name:<20} {budget:4.1f} W: over {over:6.2%} of the time, "
                f"{share:6.1%} of the best fixed pace, {verdict} the bars"
            )


def governed(board: SimulatedBoard, budget_w: float, seed: int) -> Outcome:
    """Ten minutes under the governor."""
    governor = Governor(budget_w, len(board.speed))

    def decide(now: float, watts: float, tokens: float) -> Pace:
        return governor.observe(now, watts, Work("decode", int(tokens)))

    return simulate(board, budget_w, decide, governor.pace, seed)


if __name__ == "__main__":
    main()
