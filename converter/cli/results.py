"""`bedside-convert results`: saved evaluations in one table, and one against another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def results(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE.json…", help="Files that `evaluate` wrote.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="NAME", help="Also write NAME.json, .md and pictures of all."
        ),
    ] = None,
) -> None:
    """Show saved evaluations, and test those of the same questions against each other."""
    from converter.evaluate.paired import pairs, unpaired
    from converter.evaluate.publish import check_outputs, write_report
    from converter.evaluate.record import read_record
    from converter.evaluate.report import terminal

    if out is not None:
        check_outputs(out, files)
    evaluations = [one for path in files for one in read_record(path)]
    tested = pairs(evaluations)
    for line in terminal(evaluations, tested):
        typer.echo(line)
    for line in unpaired(evaluations):
        typer.echo(line, err=True)
    if out is not None:
        write_report(out, evaluations, tested)
