"""How well a question is understood in the light of those before it, and how fast.

    python -m tests.bench.thread_bench [--wrong]

Over the cards that ship. The pairs (`tests/app/knowledge/data/`) were written before the way of
finding was mended; every second line of each file was held out meanwhile. With --wrong, those of
the developed half that go wrong are printed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.knowledge.reference import Reference
from tests.app.knowledge.threads import Threaded, read

FILES = ("follow_ups", "new_topics")


def main() -> None:
    """Print a line for each half of each file, with and without the thread."""
    with tempfile.TemporaryDirectory() as folder:
        reference = Reference(Path(folder))
        reference.prepare()
        print(f"{'':24}pairs  first  without thread  p95 ms")
        for name in FILES:
            pairs = read(name)
            _print(reference, f"{name}, developed", pairs[::2], "--wrong" in sys.argv)
            _print(reference, f"{name}, held out", pairs[1::2], wrong=False)


def _print(reference: Reference, name: str, pairs: Sequence[Threaded], wrong: bool) -> None:
    times, hits = [], []
    for one in pairs:
        began = time.perf_counter()
        found = reference.search(one.question, earlier=one.before)
        times.append(time.perf_counter() - began)
        hits.append(one.is_answered_by(found))
        if wrong and not hits[-1]:
            print(f"  {[*one.before, one.question]} {[passage.title for passage in found]}")
    alone = sum(one.is_answered_by(reference.search(one.question)) for one in pairs)
    p95 = sorted(times)[int(0.95 * (len(times) - 1))] * 1e3
    print(f"{name:24}{len(pairs):5}{sum(hits):7}{alone:16}{p95:8.1f}")


if __name__ == "__main__":
    main()
