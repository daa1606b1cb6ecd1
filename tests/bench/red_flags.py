"""How long the red-flag check takes: `python -m tests.bench.red_flags`.

Turns of 200 and of 2,000 characters, made of sentences of the own table with a fixed seed: of the
harmless ones, as most turns are, and of all, which holds signs, negations and numbers as densely
as no person writes them. Then a session of 20 turns: what the last turn costs, when the turns
before it were read when they came. The bar is 5 ms a turn of 2,000 characters.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.assistant.rulebook import red_flags
from app.safety import RedFlags
from app.safety.table import parse

CASES = Path(__file__).resolve().parents[1] / "app" / "safety" / "data" / "cases.tsv"
_TURNS = 200
_SESSION = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds of one check."""

    processor: float
    """Other work on the machine lengthens it little."""
    wall: float


def turns(harmless: bool, characters: int = 2000) -> list[str]:
    """Texts of the same length, each another mixture of sentences."""
    rows = parse(CASES.read_text(encoding="utf-8"))
    sentences = [row.text for row in rows if row.expect == "none" or not harmless]
    chance = random.Random(6)
    texts = (". ".join(chance.choices(sentences, k=80)) for _ in range(_TURNS))
    return [text[:characters] for text in texts]


def timed(check: Callable[[], object]) -> Taken:
    """What one call takes."""
    processor, wall = time.process_time(), time.perf_counter()
    check()
    return Taken((time.process_time() - processor) * 1000, (time.perf_counter() - wall) * 1000)


def turn_by_turn(flags: RedFlags, texts: list[str]) -> list[Taken]:
    """Each text as the only turn of a conversation."""
    flags.check(texts[:1])
    return [timed(partial(flags.check, [text])) for text in texts]


def last_of_session(flags: RedFlags, texts: list[str]) -> list[Taken]:
    """Each text as the last turn of a session of 20, as the assistant hears it."""
    findings = [flags.read(text) for text in texts]

    def hear(at: int) -> object:
        return flags.judge([*findings[at - _SESSION + 1 : at], flags.read(texts[at])])

    return [timed(partial(hear, at)) for at in range(_SESSION, len(texts))]


def line(what: str, taken: Iterable[Taken]) -> str:
    """Median and 95th percentile of processor and wall time."""
    times = list(taken)
    parts = []
    for name, values in (
        ("processor", [one.processor for one in times]),
        ("wall", [one.wall for one in times]),
    ):
        p95 = statistics.quantiles(values, n=20)[-1]
        parts.append(f"{name} median {statistics.median(values):.2f} ms, p95 {p95:.2f} ms")
    return f"{what}: {'; '.join(parts)} ({len(times)} turns)"


def main() -> None:
    """Print the time to make the rules ready, and to check a turn."""
    begin = time.process_time()
    flags = red_flags()
    print(f"rules made ready: {(time.process_time() - begin) * 1000:.0f} ms")
    for name, harmless in (("harmless sentences", True), ("all sentences", False)):
        for characters in (200, 2000):
            texts = turns(harmless, characters)
            print(line(f"{characters:,} characters of {name}", turn_by_turn(flags, texts)))
        print(line(f"turn 20 of a session, {name}", last_of_session(flags, turns(harmless))))


if __name__ == "__main__":
    main()
