"""What measuring saliency costs over running the same text: python -m tests.bench.saliency_bench

The bar is 1.15 times a plain prefill. CPU seconds are compared, and runs alternate, so that a busy
machine slows both alike; the median of the ratios is printed, and the least and the largest.
"Plain" computes logits for every token, as llama.cpp's own imatrix tool does; "last" for the last
token alone, as a chat does. That spares all other tokens most of the last layer, which cannot be
measured without them: "bottom" is what the layers without the head cost over "last".
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
from converter.graph import Tensor
from converter.runner import Runner
from converter.texts import Sample, mix, read_texts
from tests.shared import SHARED


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


class _Headless:
    """Watches nothing, and ends a run before its output head as measuring does."""

    def wants(self, tensor: Tensor) -> bool:
        return tensor.name == "result_norm"

    def take(self, tensor: Tensor) -> bool:
        return False


def ratios(
    file: Path, chunks: Sequence[list[int]], length: int, pairs: int, threads: int
) -> dict[str, list[float]]:
    """Seconds with saliency over those of a plain run, and of one with the last logits alone."""
    found: dict[str, list[float]] = {"plain": [], "last": [], "bottom": []}
    with Runner(file, length=length, threads=threads) as bare:
        watch = Collector(weight_rows(bare.header), layer_count(bare.header))
        with (
            Runner(file, length=length, threads=threads, watch=watch) as watched,
            Runner(file, length=length, threads=threads, watch=_Headless()) as headless,
        ):
            for chunk in [chunk for _ in range(pairs) for chunk in chunks]:
                measured = _seconds(partial(watched.run, chunk))
                last = _seconds(partial(bare.run, chunk, last_only=True))
                found["plain"].append(measured / _seconds(partial(bare.run, chunk)))
                found["last"].append(measured / last)
                found["bottom"].append(_seconds(partial(headless.run, chunk)) / last)
    return found


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
        file = options.model
        if file.is_dir():
            file = Path(folder) / "model.gguf"
            write(lay_out(open_checkpoint(options.model), FileType.BF16), file, threads=1)
        sample = Sample(options.length, options.length * options.chunks)
        with Runner(file, length=options.length) as runner:
            mixed = mix(read_texts([options.text]), [], sample, runner.tokenise, runner.bos)
        found = ratios(file, mixed.chunks, options.length, options.pairs, options.threads)
    for name, values in found.items():
        told = "the layers alone over last" if name == "bottom" else f"saliency over {name}"
        print(
            f"{told}: {statistics.median(values):.3f} "
            f"({min(values):.3f} to {max(values):.3f}, {len(values)} pairs of {options.length} "
            f"tokens, {options.threads} threads)"
        )


if __name__ == "__main__":
    main()
