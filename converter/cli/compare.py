"""`bedside-convert compare`: candidates beside all that plain quantisation gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from converter.cli.options import CacheFolder, Field, Threads, Window, Windows

if TYPE_CHECKING:
    from converter.compare.table import Table


def compare(  # noqa: PLR0913 - each parameter is an option of the command
    full: Annotated[
        Path, typer.Option(help="Checkpoint folder or unquantised GGUF of the full model.")
    ],
    text: Annotated[
        list[Path], typer.Option(help="Held-out text; may be repeated, the first decides.")
    ],
    candidates: Annotated[
        list[Path] | None, typer.Argument(metavar="CANDIDATE.gguf…", help="Files to judge.")
    ] = None,
    calibration: Annotated[
        list[Path] | None,
        typer.Option(help="Text that importance is measured on; none leaves its rows out."),
    ] = None,
    field: Field = None,
    tokens: Annotated[int, typer.Option(help="Calibration tokens.")] = 65536,
    context: Window = 512,
    chunks: Windows = 0,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.json", help="What `evaluate` wrote of one of the files; may be repeated."
        ),
    ] = None,
    speed: Annotated[bool, typer.Option(help="Measure speed and memory too.")] = True,
    threads: Threads = 0,
    cache: CacheFolder = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="NAME", help="Also write NAME.json, .md and .svg."),
    ] = None,
) -> None:
    """Compare files with the full model's own ladder, at equal bytes, on held-out text."""
    from converter.cli.shop import workshop
    from converter.compare.accuracy import read_evaluations, with_accuracies
    from converter.compare.ladder import HeldOut, Trial
    from converter.compare.ladder import compare as measure
    from converter.compare.report import terminal
    from converter.cut.measuring import Calibration
    from converter.measure import Windows
    from converter.texts import Sample, read_texts

    evaluations = read_evaluations(evaluation or [])
    held_out = [HeldOut(path.name, read_texts([path], field)) for path in text]
    known = read_texts(calibration, field) if calibration else None
    trial = Trial(
        candidates=candidates or [],
        full=full,
        texts=held_out,
        windows=Windows(context, 0, chunks),
        calibration=Calibration(known, (), Sample(context, tokens)) if known else None,
        speed=speed,
    )
    table = with_accuracies(measure(trial, workshop(cache, threads)), evaluations)
    for line in terminal(table):
        typer.echo(line)
    if out is not None:
        _write(table, out)


def _write(table: Table, out: Path) -> None:
    from converter.compare.plot import svg
    from converter.compare.report import markdown, record
    from converter.files import check_output, whole_file

    files = {
        ".json": record(table),
        ".svg": svg(table),
        ".md": markdown(table, f"{out.name}.svg"),
    }
    for ending, content in files.items():
        path = out.with_name(out.name + ending)
        check_output(path, force=True)
        with whole_file(path) as file:
            file.write(content.encode("utf-8"))
