"""Measure the converter: total time over quantising alone, and the most memory it held.

    python -m tests.bench.converter_bench [--size 1b] [--type Q4_K_M] [--folder FOLDER]

Quantising alone is the same coder on the same weights with the same threads, but on float32 rows
that are already in memory, with nothing read and nothing written. Both are run in turn, each in a
process of its own, and the median of the ratios counts. The target is 1.15.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from converter.checkpoint import open_checkpoint, to_float32
from converter.export import Layout, lay_out, write
from converter.quantise import FileType, encode
from tests.bench.synthetic_checkpoint import PRESETS, build

_ROWS = 1 << 22
"""Weights quantised in one call: some megabytes of float32, as a converter would hand on."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run took."""

    seconds: float
    cpu: float
    """CPU seconds of all threads: what the seconds would show if no one else used the machine."""
    peak: int
    """The most memory held, in bytes."""


def convert(layout: Layout, out: Path, threads: int) -> tuple[float, float]:
    """Seconds and CPU seconds of a whole conversion, with the file on the disk at the end."""
    begun, cpu = time.perf_counter(), time.process_time()
    write(layout, out, threads=threads, force=True)
    return time.perf_counter() - begun, time.process_time() - cpu


def quantise_alone(layout: Layout, threads: int) -> tuple[float, float]:
    """Seconds and CPU seconds in the coder alone; reading the rows is not counted."""
    spent = cpu = 0.0
    for weight, entry in zip(layout.weights, layout.entries, strict=True):
        rows = int(np.prod(entry.shape[:-1]))
        step = max(1, _ROWS // entry.shape[-1])
        for start in range(0, rows, step):
            values = to_float32(weight.rows(start, min(start + step, rows)))
            begun, cpu_begun = time.perf_counter(), time.process_time()
            encode(values, entry.kind, threads=threads)
            spent += time.perf_counter() - begun
            cpu += time.process_time() - cpu_begun
    return spent, cpu


def _measure(what: str, folder: Path, out: Path, kind: str, threads: int) -> None:
    """In a process of its own: one of the two, printed for the process that asked."""
    layout = lay_out(open_checkpoint(folder), FileType.parse(kind))
    took = convert(layout, out, threads) if what == "convert" else quantise_alone(layout, threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps([*took, peak]))


def _in_process(what: str, task: Sequence[object]) -> Spent:
    command = [sys.executable, "-m", __spec__.name, "--measure", what, *map(str, task)]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Spent(*json.loads(ended.stdout.splitlines()[-1]))


def main() -> None:
    """Build the checkpoint when it is not there, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", choices=PRESETS, default="1b")
    parser.add_argument("--type", default="Q4_K_M")
    parser.add_argument("--folder", type=Path, help="built here and kept; else a temporary one")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure is not None:
        what, folder, out, kind, threads = asked.measure
        _measure(what, Path(folder), Path(out), kind, int(threads))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / asked.size
        if not folder.exists():
            build(folder, PRESETS[asked.size])
        _report(folder, Path(scratch) / "out.gguf", asked)


def _report(folder: Path, out: Path, asked: argparse.Namespace) -> None:
    layout = lay_out(open_checkpoint(folder), FileType.parse(asked.type))
    largest = max(weight.elements for weight in layout.weights)
    print(
        f"{layout.parameters / 1e9:.2f} B weights to {asked.type} on {asked.threads} threads; "
        f"the largest tensor holds {2 * largest / 1e6:.0f} MB",
        flush=True,
    )
    task = (folder, out, asked.type, asked.threads)
    ratios, cpu_ratios = [], []
    for _ in range(asked.repeat):
        alone, total = _in_process("quantise", task), _in_process("convert", task)
        ratios.append(total.seconds / alone.seconds)
        cpu_ratios.append(total.cpu / alone.cpu)
        print(
            f"{total.seconds:.1f} s in all, {alone.seconds:.1f} s quantising alone, "
            f"ratio {ratios[-1]:.3f}; CPU {total.cpu:.1f} s and {alone.cpu:.1f} s, "
            f"ratio {cpu_ratios[-1]:.3f}; peak memory {total.peak / 1e6:.0f} MB",
            flush=True,
        )
    print(
        f"median ratio {statistics.median(ratios):.3f} (target 1.15), "
        f"of CPU seconds {statistics.median(cpu_ratios):.3f}"
    )


if __name__ == "__main__":
    main()
