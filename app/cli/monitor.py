"""`bedside monitor`: power, heat, memory and load of this machine, without a chat."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.monitor.reading import Reading
    from app.monitor.sampler import Sampler


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("monitor")(monitor)


def monitor(
    interval: Annotated[
        float, typer.Option(help="Seconds between two readings.", min=0.1, max=3600)
    ] = 1.0,
    count: Annotated[
        int | None, typer.Option(help="End after so many readings.", min=1, show_default=False)
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A line for each reading, without redrawing.")
    ] = False,
    sources: Annotated[
        bool, typer.Option("--sources", help="List the power sources and what each one covers.")
    ] = False,
) -> None:
    """Show power, temperature, clock, load and memory of this machine until Ctrl-C."""
    from app.monitor.devices import Devices
    from app.monitor.live import PlainPrinter, source_lines, watch
    from app.monitor.power import survey
    from app.monitor.sampler import Sampler

    if sources:
        for line in source_lines(survey(Devices())):
            print(line)
        return
    sampler = Sampler(interval_s=interval)
    if plain or not _can_redraw():
        watch(sampler, count, PlainPrinter(sys.stdout).show)
    else:
        _watch_in_place(sampler, count)


def _can_redraw() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _watch_in_place(sampler: Sampler, count: int | None) -> None:
    import time

    from rich.live import Live
    from rich.text import Text

    from app.monitor.live import panel_lines, watch

    began = time.monotonic()
    with Live(auto_refresh=False) as live:

        def show(reading: Reading) -> None:
            seconds = time.monotonic() - began
            lines = panel_lines(reading, sampler.cpu_s, seconds)
            live.update(Text("\n".join(lines)), refresh=True)

        watch(sampler, count, show)
