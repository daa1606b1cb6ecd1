"""What measuring saliency costs over running the same text: python -m tests.bench.saliency_bench

The bar is 1.15 times a plain prefill. Runs alternate, so that a busy machine slows both alike; the
median of the ratios is printed, and the least and the largest. "Plain" computes logits for every
token, as llama.cpp's own imatrix tool does; "last" for the last token alone, as a chat does.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from converter.checkpoint import open_checkpoint
from converter.cut.collect import Collector
from converter.cut.measuring import layer_count, weight_rows
from converter.export import lay_out, write
from converter.filetype import FileType
from converter.runner import Runner
from converter.texts import Sample, mix, read_texts
from tests.shared import SHARED


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ratios(
    file: Path, chunks: Sequence[list[int]], length: int, pairs: int, threads: int
) -> tuple[list[float], list[float]]:
    """Seconds with saliency over those of a plain run, and of one with the last logits alone."""
    plain, last = [], []
    with Runner(file, length=length, threads=threads) as bare:
        watch = Collector(weight_rows(bare.header), layer_count(bare.header))
        with Runner(file, length=length, threads=threads, watch=watch) as watched:
            for chunk in [chunk for _ in range(pairs) for chunk in chunks]:
                measured = _seconds(partial(watched.run, chunk))
                plain.append(measured / _seconds(partial(bare.run, chunk)))
                last.append(measured / _seconds(partial(bare.run, chunk, last_only=True)))
    return plain, last


def main() -> None:
    """The console."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=SHARED / "models/medquad-29m")
    parser.add_argument("--text", type=Path, default=SHARED / "data/medquad_val.jsonl.gz")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.gguf"
        write(lay_out(open_checkpoint(options.model), FileType.BF16), file, threads=1)
        sample = Sample(options.length, options.length * options.chunks)
        with Runner(file, length=options.length) as runner:
            mixed = mix(read_texts([options.text]), [], sample, runner.tokenise, runner.bos)
        found = ratios(file, mixed.chunks, options.length, options.pairs, options.threads)
    for name, values in zip(("plain", "last"), found, strict=True):
        print(
            f"saliency over {name}: {statistics.median(values):.3f} "
            f"({min(values):.3f} to {max(values):.3f}, {len(values)} pairs of {options.length} "
            f"tokens, {options.threads} threads)"
        )


if __name__ == "__main__":
    main()
