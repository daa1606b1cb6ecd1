"""What a cut costs, by score, width, repair, type and text: the tables of converter/cut/RESULTS.md.

    python -m tests.bench.cut_bench CHECKPOINT --text TRAIN --general TRAIN --held-out VAL
        --held-out GENERAL [--parts neurons,quantised,heads,layers,calibration]
        [--scores magnitude second-order] [--blocks 32 24 16 8] [--widths uniform "per layer"]
        [--repairs none restored]
        [--tokens 16384] [--windows 24] [-o ROWS.jsonl] [--markdown]

Prints a line of JSON for each row as it is measured: the rise in log-perplexity over the full model
on each held-out text. With -o the rows are kept in a file, and those that stand there are not
measured again, so that it can be stopped and gone on with; with --markdown the finished tables are
printed instead of the lines (`--parts none` prints what stands in the file). Where NumPy's BLAS
does not know a processor, `OPENBLAS_CORETYPE=SkylakeX` before the command halves the time on one
with AVX-512.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from app.errors import BedsideError
from converter.cut.ranking import Score
from tests.bench.cut.bench import Bench, Loss, Terms
from tests.bench.cut.parts import PARTS, PER_LAYER, RESTORED, UNIFORM, UNREPAIRED, Asked, full, jobs
from tests.bench.cut.record import Record, conditions
from tests.bench.cut.tables import markdown


def main() -> None:
    """Measure what the command line asks for."""
    options = _options()
    terms = Terms(
        checkpoint=options.checkpoint,
        text=tuple(options.text),
        general=tuple(options.general),
        held_out=tuple(options.held_out),
        tokens=options.tokens,
        windows=options.windows,
        threads=options.threads,
    )
    scores = [Score(name) for name in options.scores]
    asked = Asked(options.parts, scores, options.blocks, options.widths, options.repairs)
    with tempfile.TemporaryDirectory() as folder:
        try:
            _run(Bench(terms, Path(folder)), asked, options)
        except BedsideError as error:
            sys.exit(str(error))


def _run(bench: Bench, asked: Asked, options: argparse.Namespace) -> None:
    record = Record(options.out, conditions(bench))
    (whole,) = record.done([full(bench)])
    losses = {name: Loss(tuple(windows)) for name, windows in whole["losses"].items()}
    for row in record.done(jobs(bench, asked, losses)):
        if not options.markdown:
            print(json.dumps(row), flush=True)
    if options.markdown:
        print("\n".join(markdown(record.rows)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--text", type=Path, action="append", required=True)
    parser.add_argument("--general", type=Path, action="append", default=[])
    parser.add_argument("--held-out", type=Path, action="append", required=True)
    parser.add_argument("--parts", type=_parts, default=list(PARTS))
    parser.add_argument("--blocks", type=int, nargs="+", default=[32, 24, 16, 8])
    widths = [UNIFORM, PER_LAYER]
    parser.add_argument("--widths", nargs="+", choices=widths, default=widths)
    repairs = [UNREPAIRED, RESTORED]
    parser.add_argument("--repairs", nargs="+", choices=repairs, default=repairs)
    names = [score.value for score in Score]
    parser.add_argument("--scores", nargs="+", choices=names, default=names)
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    parts = [] if text == "none" else text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no part {unknown.pop()}; choose of {','.join(PARTS)}")
    return parts


if __name__ == "__main__":
    main()
