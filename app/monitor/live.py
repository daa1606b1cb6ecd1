"""`bedside monitor`: the machine's values on a terminal, in place or a line a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TextIO

from app.monitor.devices import Unavailable
from app.monitor.panel import Row, coverage_line, machine_rows, mebibytes, percent
from app.monitor.power import Offer
from app.monitor.reading import READ_FIELDS, Reading
from app.monitor.sampler import Sampler

_NAMES = {
    "power_w": "power",
    "temp_c": "temperature",
    "clock_mhz": "clock",
    "cpu": "CPU load",
    "available_bytes": "memory left",
    "throttled": "throttling",
}


def plain_line(reading: Reading, started_at: float) -> str:
    """One reading as one line; what is not known is a dash."""
    cells = (
        f"{reading.at - started_at:7.1f} s",
        f"power {_cell(reading.power_w, '.2f')} W",
        f"temperature {_cell(reading.temp_c, '.1f')} °C",
        f"clock {_cell(reading.clock_mhz, '.0f')} MHz",
        f"CPU {percent(reading.cpu) or '-'}",
        f"memory left {mebibytes(reading.available_bytes) or '-'}",
    )
    return "  ".join(cells)


def missing_lines(reading: Reading, told: set[str]) -> Iterator[str]:
    """A sentence for each value that is missing, once for each reason; adds to `told`.

    The engine's memory is left out: there is no engine without a chat.
    """
    for field in READ_FIELDS:
        reason = reading.unavailable.get(field)
        if field not in _NAMES or reason is None or f"{field}: {reason}" in told:
            continue
        told.add(f"{field}: {reason}")
        yield f"{_NAMES[field]}: unavailable, because {reason}"


def watch(sampler: Sampler, count: int | None, show: Callable[[Reading], None]) -> None:
    """Show each reading until `count` were shown (None: until an interrupt), then stop.

    Raises:
        KeyboardInterrupt: passed on, after the sampler has stopped.
    """
    readings: SimpleQueue[Reading] = SimpleQueue()
    sampler.listen(readings.put)
    sampler.start()
    shown = 0
    try:
        while count is None or shown < count:
            try:
                # A bounded wait, since an interrupt does not wake an endless one everywhere.
                show(readings.get(timeout=0.5))
            except Empty:
                continue
            shown += 1
    finally:
        sampler.stop()


class PlainPrinter:
    """Shows each reading as a line, with a sentence before it for what is newly missing."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told: set[str] = set()
        self._started_at: float | None = None

    def show(self, reading: Reading) -> None:
        """Print one reading."""
        if self._started_at is None:
            self._started_at = reading.at
            self._print(coverage_line(reading))
        for line in missing_lines(reading, self._told):
            self._print(line)
        self._print(plain_line(reading, self._started_at))

    def _print(self, line: str | None) -> None:
        if line is not None:
            print(line, file=self._out, flush=True)


def panel_lines(
    reading: Reading, own_cpu_s: float, seconds: float, recent: Sequence[Row] = ()
) -> tuple[str, ...]:
    """The view that is redrawn in place.

    Args:
        reading: what to show.
        own_cpu_s: processor seconds that the monitor took.
        seconds: for how long it runs.
        recent: rows about the last minute.
    """
    own = f"{own_cpu_s / seconds * 100:.1f} % of one core" if seconds > 0 else "just begun"
    table = [row for row in machine_rows(reading) if row.label != "Engine"]
    table += [Row("Monitor", own), *recent]
    width = max(len(row.label) for row in table)
    lines = [f"{row.label:<{width}}  {row.text}".rstrip() for row in table]
    return (*lines, *filter(None, [coverage_line(reading)]))


def source_lines(offers: Iterable[Offer]) -> Iterator[str]:
    """Every kind of power source: what it covers and takes, its reading or why there is none."""
    for offer in offers:
        yield offer.kind.title
        yield f"  covers    {offer.kind.coverage}"
        yield f"  takes     {offer.kind.cost}"
        yield f"  renews    at most {offer.kind.rate_hz:g} times a second"
        yield f"  age       {offer.kind.age}"
        yield f"  now       {_state(offer)}"


def _state(offer: Offer) -> str:
    if offer.reader is None:
        return f"unavailable, because {offer.reason}"
    began = time.monotonic()
    try:
        watts = offer.reader.read().watts
        took = (time.monotonic() - began) * 1000
        return f"{watts:.2f} W, by {offer.reader.via}, read in {took:.0f} ms"
    except Unavailable as reason:
        return f"unavailable, because {reason}"


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"
