"""How long the red-flag check takes: `python -m tests.bench.red_flags`.

Turns of 2,000 characters, made of sentences of the own table with a fixed seed: of the harmless
ones, as most turns are, and of all, which holds signs, negations and numbers as densely as no
person writes them. The bar is 5 ms a turn.
"""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

from app.assistant.rulebook import red_flags
from app.safety import RedFlags
from app.safety.table import parse

CASES = Path(__file__).resolve().parents[1] / "app" / "safety" / "data" / "cases.tsv"
_CHARACTERS = 2000
_TURNS = 200


def turns(harmless: bool) -> list[str]:
    """Texts of the same length, each another mixture of sentences."""
    rows = parse(CASES.read_text(encoding="utf-8"))
    sentences = [row.text for row in rows if row.expect == "none" or not harmless]
    chance = random.Random(6)
    texts = (". ".join(chance.choices(sentences, k=80)) for _ in range(_TURNS))
    return [text[:_CHARACTERS] for text in texts]


def milliseconds(flags: RedFlags, texts: list[str]) -> list[float]:
    """Processor time of each check, which other work on the machine does not lengthen."""
    flags.check(texts[:1])
    times = []
    for text in texts:
        begin = time.process_time()
        flags.check([text])
        times.append((time.process_time() - begin) * 1000)
    return times


def main() -> None:
    """Print the time to make the rules ready, and to check a turn."""
    begin = time.process_time()
    flags = red_flags()
    print(f"rules made ready: {(time.process_time() - begin) * 1000:.0f} ms")
    for name, harmless in (("harmless sentences", True), ("all sentences", False)):
        times = milliseconds(flags, turns(harmless))
        print(
            f"{_CHARACTERS} characters of {name}: median {statistics.median(times):.1f} ms, "
            f"p95 {statistics.quantiles(times, n=20)[-1]:.1f} ms ({len(times)} turns)"
        )


if __name__ == "__main__":
    main()
