"""Plots of full blocks alone: a console's font has no finer ones."""

from __future__ import annotations

from collections.abc import Sequence

from app.monitor.report.series import Point, Series

WIDTH = 64
HEIGHT = 6
BLOCK = "█"


def plot(series: Series, limit: float | None = None) -> list[str]:
    """A series as lines of text: bars from the bottom, each the mean of its stretch of time.

    Args:
        series: with something to draw.
        limit: a line to draw, such as a budget.
    """
    means = columns(series.points, WIDTH)
    known = [value for value in means if value is not None]
    low, high = scale([*known, *([limit] if limit is not None else [])])
    lines = [f"{series.title}, {series.unit}"]
    levels = [None if value is None else level(value, low, high) for value in means]
    for row in range(HEIGHT, 0, -1):
        label = {HEIGHT: f"{high:8.1f}", 1: f"{low:8.1f}"}.get(row, " " * 8)
        marked = limit is not None and level(limit, low, high) == row
        empty = "-" if marked else " "
        bars = "".join(empty if one is None or one < row else BLOCK for one in levels)
        lines.append(f"{label} |{bars.rstrip() if not marked else bars}")
    ends = [at for at, _ in series.points]
    last = f"{max(ends):.0f} s"
    lines.append(f"{'':8} +{min(ends):.0f} s{last:>{WIDTH - len(f'{min(ends):.0f} s')}}")
    return lines


def columns(points: Sequence[Point], width: int) -> list[float | None]:
    """The mean of each of `width` equal stretches of time; None where nothing is known."""
    start, end = points[0][0], max(at for at, _ in points)
    span = max(end - start, 1e-9)
    gathered: list[list[float]] = [[] for _ in range(width)]
    for at, value in points:
        if value is not None:
            gathered[min(width - 1, max(0, int((at - start) / span * width)))].append(value)
    return [sum(one) / len(one) if one else None for one in gathered]


def scale(values: Sequence[float]) -> tuple[float, float]:
    """The lowest and highest of a plot: a flat line lies in the middle of something."""
    low, high = min(values), max(values)
    if high - low < 0.05 * max(abs(high), 1e-9):
        margin = 0.05 * max(abs(high), 1.0)
        return low - margin, high + margin
    return low, high


def level(value: float, low: float, high: float) -> int:
    """Rows that a bar fills, 1 to HEIGHT."""
    return 1 + min(HEIGHT - 1, max(0, round((value - low) / (high - low) * (HEIGHT - 1))))
