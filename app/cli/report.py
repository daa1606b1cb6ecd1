"""`bedside report RUN…`: what a run's log says, in sentences, tables and plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import watts
from app.errors import CheckError

if TYPE_CHECKING:
    from app.monitor.logreader import RunLog
    from app.monitor.report.page import Reported


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("report")(_report)


def _report(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="Log files, ids of runs, or `last` (which is the default)."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            parser=watts, metavar="WATTS", help="Judge by this; ends with 6 if it was not held."
        ),
    ] = None,
    meter: Annotated[
        Path | None,
        typer.Option(help="CSV of an external power meter, in place of the run's own readings."),
    ] = None,
    meter_starts: Annotated[
        str | None,
        typer.Option(help="Time of day of the meter's second 0, as 2026-01-31T12:00:00+01:00."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write one page with everything in it.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write samples and answers as CSV.")] = None,
    plots: Annotated[bool, typer.Option(help="Draw plots in the terminal.")] = True,
) -> None:
    """Say what runs were like: speed, power, energy, heat. Several stand side by side."""
    from app.files import write_whole
    from app.monitor.report.page import page
    from app.monitor.report.spreadsheet import spreadsheet

    logs = _logs(runs or ["last"], meter, meter_starts)
    reported = [_reported(log, budget) for log in logs]
    for line in _lines(reported, plots):
        typer.echo(line)
    if html is not None:
        write_whole(html, page(reported).encode())
    if csv is not None:
        write_whole(csv, spreadsheet(logs).encode())
    _check_budget(reported)


def _logs(names: Sequence[str], meter: Path | None, meter_starts: str | None) -> list[RunLog]:
    from app.folders import Folders
    from app.monitor.power.meter import read_meter, with_meter
    from app.monitor.report.run import find_run, read_run

    folder = Folders.standard().state / "runs"
    logs = [read_run(find_run(name, folder)) for name in names]
    if meter is None:
        return logs
    measured = read_meter(meter, meter_starts)
    return [with_meter(log, measured) for log in logs]


def _reported(log: RunLog, budget: float | None) -> Reported:
    from app.monitor.report.page import Reported
    from app.monitor.report.summary import summarise
    from app.monitor.report.verdict import judge

    powers = ((sample.t, sample.power_w) for sample in log.samples)
    return Reported(log, summarise(log), None if budget is None else judge(powers, budget))


def _check_budget(reported: Sequence[Reported]) -> None:
    for one in reported:
        if one.verdict is not None and not one.verdict.held:
            word = "was not held" if one.verdict.measured_s > 0 else "could not be judged"
            budget = f"{one.verdict.budget_w:g} W budget"
            raise CheckError(f"Run {one.log.header.id}: the {budget} {word}.")


def _lines(reported: Sequence[Reported], plots: bool) -> Iterator[str]:
    from app.monitor.report.sentences import column, sentences, side_by_side
    from app.monitor.report.series import series_of
    from app.monitor.report.terminal import plot

    for one in reported:
        yield f"Run {one.log.header.id}"
        yield from sentences(one.log, one.summary, one.verdict)
        yield ""
    yield from side_by_side([column(one.log, one.summary, one.verdict) for one in reported])
    for one in reported if plots else ():
        budget = one.verdict.budget_w if one.verdict else None
        yield f"\nRun {one.log.header.id}"
        for series in series_of(one.log):
            if series.known:
                yield from plot(series, budget if series.unit == "W" else None)
