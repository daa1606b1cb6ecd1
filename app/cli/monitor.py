"""`bedside monitor`: power, heat, memory and load of this machine, without a chat."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.edge import tell

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
    replay: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Play a run's log as if it were the board."),
    ] = None,
    speed: Annotated[
        float, typer.Option(help="Seconds of a replayed run in a second.", min=0.1, max=1000)
    ] = 1.0,
    prometheus: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Serve the newest run's values, as 127.0.0.1:9464."),
    ] = None,
) -> None:
    """Show power, temperature, clock, load and memory of this machine until Ctrl-C."""
    from app.monitor.live import PlainPrinter, watch
    from app.monitor.sampler import Sampler

    if prometheus is not None:
        _serve(prometheus)
    elif sources:
        _list_sources()
    else:
        sampler = Sampler(interval_s=interval)
        if replay is not None:
            sampler, readings = _replaying(replay, speed, interval)
            count = count or readings
        if plain or not _can_redraw():
            watch(sampler, count, PlainPrinter(sys.stdout).show)
        else:
            _watch_in_place(sampler, count)


def _list_sources() -> None:
    from app.monitor.devices import Devices
    from app.monitor.live import source_lines
    from app.monitor.power import survey

    for line in source_lines(survey(Devices())):
        print(line)


def _replaying(name: str, speed: float, interval_s: float) -> tuple[Sampler, int]:
    """A sampler of a recorded run, and how many readings it takes to the end."""
    import time

    from app.folders import Folders
    from app.monitor.replay import Replay
    from app.monitor.report.run import find_run, read_run
    from app.monitor.sampler import Sampler

    log = read_run(find_run(name, Folders.standard().state / "runs"))
    board = Replay(log, speed, time.monotonic)
    readings = round(board.seconds / interval_s) + 1
    return Sampler(interval_s=interval_s, board=lambda: board), readings


def _serve(address: str) -> None:
    """Answer Prometheus until Ctrl-C."""
    import threading

    from app.folders import Folders
    from app.monitor.exporter import is_loopback, parse_address, serve
    from app.monitor.follow import Follower

    host, port = parse_address(address)
    server = serve(Follower(Folders.standard().state / "runs"), host, port)
    print(f"Prometheus may ask {host}:{port}. Ctrl-C ends it.", flush=True)
    if not is_loopback(host):
        tell("Whoever reaches this address can read the values.")
    try:
        threading.Event().wait()
    finally:
        server.shutdown()


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
            lines = panel_lines(reading, sampler.cpu_s, seconds, sampler.recent())
            live.update(Text("\n".join(lines)), refresh=True)

        watch(sampler, count, show)
