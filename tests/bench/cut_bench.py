"""What a cut costs, by score, width and repair: the table behind the defaults.

    python -m tests.bench.cut_bench CHECKPOINT --text TRAIN --held-out VAL [--held-out GENERAL]
        [--blocks 32 24 16 8] [--scores magnitude second-order] [--tokens 65536] [--windows 60]

Prints a line of JSON for each cut as it is measured: the rise in log-perplexity over the full
model on each held-out text, for uniform and per-layer widths, with and without restoration.
Everything is stored in float32, so that no rounding is in the numbers. One process, no cache.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from converter.cut.apply import cut
from converter.cut.geometry import Geometry
from converter.cut.measuring import Calibration, measure
from converter.cut.plan import Plan
from converter.cut.planning import Request, make_plan
from converter.cut.prune import Source, open_source, repair
from converter.cut.ranking import Score
from converter.cut.saliency import Saliency
from converter.cut.source import source_hash
from converter.cut.weights import Repairs
from converter.cut.widths import BLOCK
from converter.export import lay_out, write
from converter.material import Material, open_material
from converter.measure import Windows, perplexity
from converter.quantise import FileType
from converter.texts import Document, Sample, read_texts


@dataclass(frozen=True, slots=True)
class Bench:
    """What all cuts share."""

    source: Source
    words: Path
    """The full model in F32."""
    saliency: Saliency
    calibration: Calibration
    held_out: Mapping[str, Sequence[Document]]
    windows: Windows
    folder: Path
    """For files that are measured and removed."""

    def nll(self, material: Material) -> dict[str, float]:
        """Mean negative log-likelihood a token on each held-out text."""
        out = self.folder / "measured.gguf"
        write(lay_out(material, FileType.F32), out, threads=2, force=True)
        found = {
            name: perplexity(out, documents, self.windows).nll
            for name, documents in self.held_out.items()
        }
        out.unlink()
        return found

    def plan(self, score: Score, blocks: int, per_layer: bool) -> Plan:
        """The plan that keeps so many blocks of 256 in all layers together."""
        total = sum(Geometry.read(self.source.material.model).neurons) // BLOCK
        request = Request(neurons=1 - blocks / total, score=score, per_layer=per_layer)
        return make_plan(self.source.material, self.source.sha256, request, self.saliency)

    def cuts(self, plan: Plan) -> Iterator[tuple[str, Repairs, float]]:
        """Without and with repair: its name, the repair, and the seconds it took."""
        yield "none", {}, 0.0
        begun = time.perf_counter()
        calibration = self.calibration
        found = repair(self.source, plan, calibration.domain, calibration.sample, words=self.words)
        yield "restored", found.weights, time.perf_counter() - begun


def prepare(options: argparse.Namespace, folder: Path) -> Bench:
    """Measure the full model once."""
    sha256 = source_hash(options.checkpoint)
    words = folder / "full.gguf"
    material = open_material(options.checkpoint)
    write(lay_out(material, FileType.F32), words, threads=2)
    sample = Sample(tokens=options.tokens)
    calibration = Calibration(read_texts(options.text), [], sample)
    layers = range(material.model.facts.layers)
    saliency = measure(words, sha256, calibration, covariances=layers)
    anything = make_plan(material, sha256, Request(score=Score.MAGNITUDE), None)
    source = open_source(options.checkpoint, anything)
    held_out = {path.name.partition(".")[0]: read_texts([path]) for path in options.held_out}
    windows = Windows(limit=options.windows)
    return Bench(source, words, saliency, calibration, held_out, windows, folder)


def rows(bench: Bench, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """The full model, then every cut."""
    full = bench.nll(bench.source.material)
    yield {"full": {name: round(value, 4) for name, value in full.items()}}
    ways = product(options.scores, options.blocks, (False, True))
    for score, blocks, per_layer in ways:
        plan = bench.plan(Score(score), blocks, per_layer)
        for name, repairs, seconds in bench.cuts(plan):
            nll = bench.nll(cut(bench.source.material, plan, repairs))
            yield {
                "score": score,
                "blocks": sum(len(kept.neurons) for kept in plan.layers) // BLOCK,
                "widths": [len(kept.neurons) // BLOCK for kept in plan.layers],
                "repair": name,
                "rise": {text: round(value - full[text], 4) for text, value in nll.items()},
                "seconds": round(seconds, 1),
            }


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--text", type=Path, action="append", required=True)
    parser.add_argument("--held-out", type=Path, action="append", required=True)
    parser.add_argument("--blocks", type=int, nargs="+", default=[32, 24, 16, 8])
    names = [score.value for score in Score]
    parser.add_argument("--scores", nargs="+", choices=names, default=["magnitude", "second-order"])
    parser.add_argument("--tokens", type=int, default=65536)
    parser.add_argument("--windows", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(prepare(options, Path(folder)), options):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
