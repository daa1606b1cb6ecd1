"""How well a question is understood in the light of those before it, and how fast.

    python -m tests.bench.thread_bench [--wrong] [--large]

Over the cards that ship, by the pairs of `tests/app/knowledge/threads.py`, which says what was
known of each round while the way of finding was made. "Alone" asks the same question without what
was said before: what a new topic finds then, no thread can better. With --wrong, the pairs that go
wrong are printed. With --large, MedQuAD (../shared/data) is added to the cards, for the times
alone: nobody has judged which of its entries answer which pair.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.knowledge.reference import Reference
from tests.app.knowledge.threads import FILES, Threaded, read
from tests.shared import shared_path


def main() -> None:
    """Print a line for each round of each file."""
    with tempfile.TemporaryDirectory() as folder:
        reference = Reference(Path(folder))
        reference.prepare()
        if "--large" in sys.argv:
            reference.add(shared_path("data/medquad_train.jsonl.gz"))
            reference.search("")
        print(f"{'':22}pairs  first  alone  p95 ms")
        for name in FILES:
            pairs = read(name)
            for number in sorted({one.round for one in pairs}):
                of_round = [one for one in pairs if one.round == number]
                _print(reference, f"{name}, round {number}", of_round)


def _print(reference: Reference, name: str, pairs: Sequence[Threaded]) -> None:
    times, wrong = [], []
    for one in pairs:
        began = time.perf_counter()
        found = reference.search(one.question, earlier=one.before)
        times.append(time.perf_counter() - began)
        if not one.is_answered_by(found):
            wrong.append(f"  {[*one.before, one.question]} finds {[each.title for each in found]}")
    alone = sum(one.is_answered_by(reference.search(one.question)) for one in pairs)
    p95 = sorted(times)[int(0.95 * (len(times) - 1))] * 1e3
    print(f"{name:22}{len(pairs):5}{len(pairs) - len(wrong):7}{alone:7}{p95:8.1f}")
    if "--wrong" in sys.argv:
        print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
