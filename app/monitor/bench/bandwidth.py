"""How fast this machine reads its memory, measured here: what decoding is held against.

Method: NumPy's `max` over 32-bit integers in a buffer of 256 MiB, which no cache of these boards
holds, split evenly over threads (NumPy lets go of the interpreter meanwhile). The maximum needs
one comparison for four bytes, less than any processor here takes to fetch them. Each number of
threads is tried several times, and the fastest pass of all counts: it is the one that nothing else
disturbed. It is a read by the processor; a GPU may read the same memory faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

BUFFER_BYTES = 256 * 2**20
PASSES = 5
METHOD = "NumPy max over int32 in 256 MiB, the fastest of 5 passes at each number of threads"


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """What was measured."""

    bytes_per_s: float
    threads: int
    """The number that was fastest."""
    by_threads: tuple[tuple[int, float], ...]
    method: str = METHOD


def measure(
    most_threads: int,
    buffer_bytes: int = BUFFER_BYTES,
    passes: int = PASSES,
    clock: Callable[[], float] = time.perf_counter,
) -> Bandwidth:
    """Read the buffer with one thread, two, and so on.

    Args:
        most_threads: the processor's cores.
        buffer_bytes: larger than the last cache.
        passes: tries at each number of threads.
        clock: seconds.
    """
    import numpy as np

    # Written once, so that each page has memory of its own behind it and is not the zero page.
    buffer = np.ones(buffer_bytes // 4, dtype=np.int32)
    found = []
    for threads in range(1, most_threads + 1):
        parts: Sequence[object] = np.array_split(buffer, threads)
        with ThreadPoolExecutor(threads) as pool:
            seconds = min(_seconds(pool, parts, clock) for _ in range(passes))
        found.append((threads, buffer.nbytes / seconds))
    threads, best = max(found, key=lambda one: one[1])
    return Bandwidth(best, threads, tuple(found))


def _seconds(
    pool: ThreadPoolExecutor, parts: Sequence[object], clock: Callable[[], float]
) -> float:
    import numpy as np

    began = clock()
    list(pool.map(np.max, parts))
    return max(clock() - began, 1e-9)
