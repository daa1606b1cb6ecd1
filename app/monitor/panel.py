"""The monitor's values as a person reads them, for whoever draws them.

Only characters of a console font are used. What is not known reads “unavailable, because …”.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.monitor import throttling
from app.monitor.jetson import ELSEWHERE
from app.monitor.power import WALL_FITS
from app.monitor.reading import Reading


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a short name and its text."""

    label: str
    text: str


def machine_rows(reading: Reading) -> tuple[Row, ...]:
    """What the machine does; a warning comes first, where a small window does not cut it off."""
    slowed = Row("Throttled", _text(reading, "throttled", _throttled(reading)))
    warned = reading.throttled is not None and bool(throttling.now(reading.throttled))
    return (
        *([Row("WARNING", slowed.text)] if warned else []),
        Row("Engine", _text(reading, "engine_rss", mebibytes(reading.engine_rss))),
        Row("Memory left", _text(reading, "available_bytes", _left(reading))),
        Row("CPU", _text(reading, "cpu", percent(reading.cpu))),
        Row("Clock", _text(reading, "clock_mhz", _with_unit(reading.clock_mhz, ".0f", "MHz"))),
        *_jetson_rows(reading),
        Row("Temperature", _text(reading, "temp_c", _with_unit(reading.temp_c, ".1f", "°C"))),
        Row("Power", _text(reading, "power_w", _power(reading))),
        *_wall_rows(reading),
        *([] if warned else [slowed]),
    )


def _jetson_rows(reading: Reading) -> Iterator[Row]:
    """The GPU and the power mode; on other boards there is nothing to say of them."""
    if reading.unavailable.get("gpu_load") != ELSEWHERE:
        load = percent(reading.gpu_load)
        clock = _with_unit(reading.gpu_mhz, ".0f", "MHz")
        text = f"{load} at {clock}" if load and clock else load
        yield Row("GPU", _text(reading, "gpu_load", text))
    if reading.unavailable.get("power_mode") != ELSEWHERE:
        yield Row("Power mode", _text(reading, "power_mode", reading.power_mode))


def _wall_rows(reading: Reading) -> Iterator[Row]:
    """What the supply may take, called an estimate, where somebody has fitted it."""
    fit = WALL_FITS.get(reading.power_source or "")
    if fit is not None and reading.power_w is not None:
        yield Row("Wall estimate", f"{fit.watts(reading.power_w):.1f} W = {fit.formula}")


def coverage_line(reading: Reading) -> str | None:
    """What the power is the power of, in a sentence; None where there is none."""
    if reading.power_coverage is None:
        return None
    fit = WALL_FITS.get(reading.power_source or "")
    estimate = f" The wall estimate is {fit.source}." if fit else ""
    return f"The power covers {reading.power_coverage}.{estimate}"


def mebibytes(count: int | None) -> str | None:
    """`1,234 MiB`."""
    return None if count is None else f"{count / 2**20:,.0f} MiB"


def percent(share: float | None) -> str | None:
    """`37 %` of 0.37."""
    return None if share is None else f"{share * 100:.0f} %"


def _text(reading: Reading, name: str, text: str | None) -> str:
    if text is not None:
        return text
    return f"unavailable, because {reading.unavailable.get(name, 'it was not read')}"


def _with_unit(value: float | None, form: str, unit: str) -> str | None:
    return None if value is None else f"{value:{form}} {unit}"


def _left(reading: Reading) -> str | None:
    left = mebibytes(reading.available_bytes)
    total = mebibytes(reading.total_bytes)
    return f"{left} of {total}" if left and total else left


def _power(reading: Reading) -> str | None:
    if reading.power_w is None:
        return None
    supply = "" if reading.supply_v is None else f", supply {reading.supply_v:.2f} V"
    return f"{reading.power_w:.2f} W ({reading.power_source}{supply})"


def _throttled(reading: Reading) -> str | None:
    return None if reading.throttled is None else throttling.summary(reading.throttled)
