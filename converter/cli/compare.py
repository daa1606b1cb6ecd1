"""`bedside-convert compare`: candidates beside all that plain quantisation gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import UsageError
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

    if out is not None:
        read = (full, *text, *(candidates or ()), *(calibration or ()), *(evaluation or ()))
        _check_outputs(out, read)
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


def _check_outputs(out: Path, inputs: Sequence[Path]) -> None:
    """See that the files can be written, before hours of measuring."""
    from converter.files import check_not_read, check_output

    for path in _outputs(out):
        check_output(path, force=True)
        check_not_read(path, inputs)


def _outputs(out: Path) -> tuple[Path, Path, Path]:
    """The table for programs, the picture, the page."""
    if not out.name:
        raise UsageError(f"{out} is a folder; give the files a name in it.")
    table, picture, page = (out.with_name(out.name + end) for end in (".json", ".svg", ".md"))
    return table, picture, page


def _write(table: Table, out: Path) -> None:
    from converter.compare.plot import svg
    from converter.compare.report import markdown, record
    from converter.files import whole_file

    contents = (record(table), svg(table), markdown(table, f"{out.name}.svg"))
    for path, content in zip(_outputs(out), contents, strict=True):
        with whole_file(path) as file:
            file.write(content.encode("utf-8"))
