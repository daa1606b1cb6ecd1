"""An external power meter's CSV, laid over a run by time: the honest way to watts at the wall.

Any CSV with a header is read that has a column of time and one of power (or of volts and amperes).
Times are a time of day (ISO 8601 with its offset, or seconds since 1970), or seconds since the
meter was started, for which a person has to say when that was. Between two readings of the meter
power is taken as straight; further than `LONGEST_GAP_S` from one, nothing is known.
"""

from __future__ import annotations

import csv
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.errors import BadInputError, UsageError
from app.monitor.devices import Unavailable
from app.monitor.energy import LONGEST_GAP_S, of_turn
from app.monitor.logreader import RunLog
from app.monitor.power.source import believable
from app.monitor.runlog import PowerFacts
from app.named_file import open_regular
from app.sanitise import one_line

MOST_BYTES = 256 * 2**20
_SINCE_1970 = 1e8
"""A larger number of seconds is a time of day: the year 1973."""
_TIMES = ("time", "timestamp", "datetime", "date", "t", "seconds", "elapsed", "elapsed_s")
_POWERS = ("power", "watt", "watts", "w", "p")
_UNITS: Mapping[str, float] = {"mw": 1e-3, "w": 1.0, "ma": 1e-3, "a": 1.0, "mv": 1e-3, "v": 1.0}


@dataclass(frozen=True, slots=True)
class Meter:
    """What a meter measured: seconds since 1970 and watts, in the order of time."""

    name: str
    readings: tuple[tuple[float, float], ...]
    left_out: int
    """Lines that were no reading."""

    def near(self, at: float) -> float | None:
        """Watts at that time, read off the line between two readings; None outside."""
        place = bisect_left(self.readings, (at, 0.0))
        if place == len(self.readings) or (place == 0 and self.readings[0][0] > at):
            return None
        after = self.readings[place]
        before = self.readings[max(0, place - 1)]
        if after[0] == at or after[0] == before[0]:
            return after[1]
        if after[0] - before[0] > LONGEST_GAP_S:
            return None
        return before[1] + (after[1] - before[1]) * (at - before[0]) / (after[0] - before[0])


def read_meter(path: Path, starts: str | None = None) -> Meter:
    """The readings of a CSV file.

    Args:
        path: the file.
        starts: time of day of its second 0, where it counts from there.

    Raises:
        BadInputError: the file does not open, or has no such columns or readings.
        UsageError: `starts` is no time of day, or is needed and missing.
    """
    try:
        with open_regular(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInputError(
            f"The meter's file {one_line(path.name)} cannot be read: {error.strerror or error}."
        ) from error
    if len(content) > MOST_BYTES:
        raise BadInputError(f"{one_line(path.name)} is too large for a meter's readings.")
    return parse_meter(content.decode("utf-8", "replace"), one_line(path.name), starts)


def parse_meter(text: str, name: str, starts: str | None = None) -> Meter:
    """The readings in a CSV's text. Raises as `read_meter`."""
    lines = text.removeprefix("\ufeff").replace("\0", "").splitlines()
    head = lines[0] if lines else ""
    delimiter = ";" if head.count(";") > head.count(",") else ","
    rows = _whole(csv.reader(lines, delimiter=delimiter), name)
    names = [word.strip().lower() for word in next(rows, [])]
    time_at, watts_of = _time_column(names, name), _watts_column(names, name)
    offset = _time_of_day(starts) if starts is not None else None
    readings, left_out = [], 0
    for row in rows:
        try:
            at = _seconds(row[time_at].strip(), offset)
            readings.append((at, believable(watts_of(row))))
        except (ValueError, IndexError, Unavailable):
            left_out += 1
    if len(readings) < 2:
        raise BadInputError(f"{name} holds fewer than two readings of a meter.")
    return Meter(name, tuple(sorted(readings)), left_out)


def with_meter(log: RunLog, meter: Meter) -> RunLog:
    """The run with the meter's power in place of its own, and its energy anew.

    Raises:
        BadInputError: the meter did not measure during the run.
    """
    began = _time_of_day(log.header.started)
    samples = tuple(replace(sample, power_w=meter.near(began + sample.t)) for sample in log.samples)
    if all(sample.power_w is None for sample in samples):
        raise BadInputError(
            f"{meter.name} holds no reading of the time of this run ({log.header.started}). "
            "Look at its clock and time zone, or give --meter-starts."
        )
    own = [(at - began, watts) for at, watts in meter.readings]
    span = own[-1][0] - own[0][0]
    coverage = "whatever is plugged into the external meter"
    if meter.left_out:
        coverage += f" ({meter.left_out} lines of its file were no reading)"
    facts = PowerFacts(f"meter {meter.name}", coverage, (len(own) - 1) / span if span else 0.0)
    return replace(
        log,
        header=replace(log.header, power=facts, idle_w=None),
        samples=samples,
        turns=tuple(of_turn(turn, own)[0] for turn in log.turns),
    )


def _whole(rows: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    """The rows; a field beyond all measure is no meter's."""
    try:
        yield from rows
    except csv.Error as error:
        raise BadInputError(f"{name} is no CSV that can be read ({error}).") from error


def _time_column(names: Sequence[str], name: str) -> int:
    for place, title in enumerate(names):
        if re.sub(r"[\s(\[].*", "", title) in _TIMES:
            return place
    raise BadInputError(f"{name} has no column of time (one of: {', '.join(_TIMES[:6])}).")


def _watts_column(names: Sequence[str], name: str) -> Callable[[Sequence[str]], float]:
    """What makes watts of a row: a power, else volts times amperes."""
    for place, title in enumerate(names):
        if _quantity(title) in _POWERS:
            return _scaled(place, title, "w")
    volts = [n for n, title in enumerate(names) if _quantity(title) in ("voltage", "volt", "v")]
    amps = [n for n, title in enumerate(names) if _quantity(title) in ("current", "amp", "a")]
    if not volts or not amps:
        raise BadInputError(f"{name} has no column of power, nor of voltage and current.")
    volt, amp = _scaled(volts[0], names[volts[0]], "v"), _scaled(amps[0], names[amps[0]], "a")
    return lambda row: volt(row) * amp(row)


def _quantity(title: str) -> str:
    """`power` of `Power (mW)` or `power_w`."""
    return re.sub(r"[\s(\[/].*|_m?[wav]$", "", title)


def _scaled(place: int, title: str, unit: str) -> Callable[[Sequence[str]], float]:
    found = re.search(rf"(?:^|[\s(\[_/])(m?{unit})\)?\]?$", title)
    factor = _UNITS[found.group(1)] if found else 1.0
    return lambda row: factor * float(row[place].strip().replace(",", "."))


def _seconds(text: str, offset: float | None) -> float:
    try:
        number = float(text)
    except ValueError:
        return _timestamp(text)
    if not math.isfinite(number):
        raise ValueError("no time")
    if number >= _SINCE_1970:
        return number
    if offset is None:
        raise UsageError(
            "The meter counts seconds from its own start. Say when that was with --meter-starts."
        )
    return offset + number


def _time_of_day(text: str) -> float:
    """Seconds since 1970. A time without an offset is the local one."""
    try:
        return _timestamp(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"“{one_line(text, 40)}” is no time of day (ISO 8601).") from error


def _timestamp(text: str) -> float:
    """Python 3.10 reads neither a `Z` nor a fraction of any but three or six digits."""
    whole = re.sub(r"\.(\d{1,6})\d*", lambda part: f".{part[1]:0<6}", text.replace("Z", "+00:00"))
    return datetime.fromisoformat(whole).timestamp()
