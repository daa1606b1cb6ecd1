"""Seconds and memory of each stage of the cut, each as the command that a person runs.

    python -m tests.bench.stages_bench [--model CHECKPOINT | --size 1b] [--text FILE]
        [--tokens 65536] [--neurons 0.3333] [--memory 4GiB] [--folder FOLDER]

`held` is the most that the process ever had mapped, with the pages of the model's file that the
system may take back at any time; `own` is the most of it that is the process's own, looked at
twenty times a second. A checkpoint of about a billion random weights (`--size 1b`) shows what
grows with a model: its covariances take gigabytes, so they are summed in passes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.synthetic_checkpoint import PRESETS, build
from tests.shared import SHARED

_LOOK = 0.05
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one command took."""

    seconds: float
    cpu: float
    """Seconds of all threads."""
    held: int
    """Bytes mapped at most, file pages included."""
    own: int
    """Bytes of its own at most."""


def spent(arguments: Sequence[object]) -> Spent:
    """Run `bedside-convert` with these arguments.

    Raises:
        SystemExit: it failed; its sentence was printed.
    """
    begun, own = time.perf_counter(), 0
    command = [sys.executable, "-m", "converter", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while True:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        own = max(own, _own(process.pid))
        time.sleep(_LOOK)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bedside-convert {arguments[0]} ended with {process.returncode}.")
    cpu = usage.ru_utime + usage.ru_stime
    return Spent(time.perf_counter() - begun, cpu, usage.ru_maxrss * 1024, own)


def _own(process: int) -> int:
    """Bytes of a process's memory that no file stands behind; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def stages(
    model: Path, folder: Path, options: argparse.Namespace
) -> Iterator[tuple[str, list[object]]]:
    """The road from a checkpoint to a quantised file, a command at a time."""
    full, plan = folder / "full.gguf", folder / "plan.json"
    plain, moments = folder / "plain.gguf", folder / "moments.gguf"
    cut, repaired = folder / "cut.gguf", folder / "repaired.gguf"
    text = ["--text", options.text, "--tokens", options.tokens]
    one = ["--threads", options.threads]
    yield "convert", ["convert", model, full, "--type", "BF16", *one]
    yield "saliency", ["saliency", full, "-o", plain, *text, *one]
    covariances = ["--covariance", "all", "--memory", options.memory]
    yield "saliency, covariances", ["saliency", full, "-o", moments, *text, *one, *covariances]
    share = ["--neurons", options.neurons]
    yield "plan, saliency", ["plan", full, plain, *share]
    yield (
        "plan, second-order",
        ["plan", full, moments, "-o", plan, *share, "--score", "second-order"],
    )
    yield "prune", ["prune", full, plan, cut, *one]
    yield (
        "prune --restore",
        ["prune", full, plan, repaired, "--restore", "--tokens", options.tokens, *one],
    )
    cache = ["--cache", folder / "cache"]
    yield (
        "importance, quantise",
        ["make", repaired, folder / "out.gguf", "--type", "Q4_K_M", *text, *one, *cache],
    )


def main() -> None:
    """Measure what the command line asks for."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        model = options.model
        if options.size is not None:
            model = build(folder / options.size, PRESETS[options.size])
        size = sum(path.stat().st_size for path in model.iterdir())
        print(f"{model.name}: {size / 1e6:,.0f} MB, {options.tokens:,} tokens", flush=True)
        print("| stage | seconds | CPU seconds | held | own |\n|---|---:|---:|---:|---:|")
        for name, arguments in stages(model, folder, options):
            took = spent(arguments)
            print(
                f"| {name} | {took.seconds:.1f} | {took.cpu:.1f} | {took.held / 1e6:,.0f} MB "
                f"| {took.own / 1e6:,.0f} MB |",
                flush=True,
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, default=SHARED / "models/medquad-29m")
    which.add_argument("--size", choices=PRESETS)
    parser.add_argument("--text", type=Path, default=SHARED / "data/medquad_train.jsonl.gz")
    parser.add_argument("--tokens", type=int, default=65536)
    parser.add_argument("--neurons", type=float, default=1 / 3)
    parser.add_argument("--memory", default="4GiB")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="Where the files lie meanwhile.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
