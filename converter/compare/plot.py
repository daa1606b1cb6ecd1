"""Perplexity over bytes as an SVG picture: some points, a line and two axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from app.sanitise import one_line
from converter.compare.table import Role, Row, Table, frontier
from converter.svg import BLUE, GREEN, GREY, RED, picture

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 50
_COLOURS: dict[Role, str] = {
    "full": GREY,
    "ladder": BLUE,
    "weighed": GREEN,
    "candidate": RED,
}
_LABELS: dict[Role, str] = {
    "ladder": "full model, quantised",
    "weighed": "full model, quantised by importance",
    "candidate": "candidates",
}
_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

Place = Callable[[float], float]


def svg(table: Table) -> str:
    """The picture: bytes across, perplexity on the first corpus upwards, in logarithms.

    The unquantised model is left out: it is far to the right, and nobody ships it.
    """
    rows = [row for row in table.rows if row.role != "full"]
    across = _scale([row.nbytes / 1e6 for row in rows], _LEFT, _WIDTH - _RIGHT)
    upwards = _scale([row.perplexity for row in rows], _HEIGHT - _BOTTOM, _TOP)
    title = f"Perplexity on {one_line(table.corpora[0].name, 60)} over megabytes"
    parts = [
        *_ticks_across([row.nbytes / 1e6 for row in rows], across),
        *_ticks_upwards([row.perplexity for row in rows], upwards),
        _line(frontier(table.rivals), across, upwards),
        *(_point(row, across, upwards) for row in rows),
        *_legend({row.role for row in rows}),
    ]
    return picture(title, _WIDTH, _HEIGHT, parts, left=_LEFT)


def _scale(values: Sequence[float], start: float, end: float) -> Place:
    """From a value to its place on an axis, by its logarithm, with a little room at both ends."""
    low, high = math.log(min(values)), math.log(max(values))
    room = max((high - low) * 0.06, 1e-3)
    low, high = low - room, high + room
    return lambda value: start + (math.log(value) - low) / (high - low) * (end - start)


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers within the values' range."""
    low, high = min(values), max(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = {step * 10.0**power for power in powers for step in _STEPS}
    return sorted(value for value in found if low <= value <= high)


def _ticks_across(values: Sequence[float], across: Place) -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    for value in _ticks(values):
        x = across(value)
        yield f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="#eeeeee"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>'
    yield f'<text x="{_WIDTH - _RIGHT}" y="{bottom + 34}" text-anchor="end">MB</text>'


def _ticks_upwards(values: Sequence[float], upwards: Place) -> Iterator[str]:
    for value in _ticks(values):
        y = upwards(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#eeeeee"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'


def _line(rows: Sequence[Row], across: Place, upwards: Place) -> str:
    points = " ".join(
        f"{across(row.nbytes / 1e6):.1f},{upwards(row.perplexity):.1f}" for row in rows
    )
    return f'<polyline points="{points}" fill="none" stroke="#999999" stroke-dasharray="4 3"/>'


def _point(row: Row, across: Place, upwards: Place) -> str:
    x, y, colour = across(row.nbytes / 1e6), upwards(row.perplexity), _COLOURS[row.role]
    name = one_line(row.name.removesuffix(" by importance"), 40)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        f'<text x="{x + 6:.1f}" y="{y - 5:.1f}" font-size="9" fill="{colour}">{escape(name)}</text>'
    )


def _legend(roles: set[Role]) -> Iterator[str]:
    shown = [role for role in _LABELS if role in roles]
    for number, role in enumerate(shown):
        y = _TOP + 14 + 16 * number
        x = _WIDTH - 250
        yield f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{_COLOURS[role]}"/>'
        yield f'<text x="{x + 10}" y="{y}">{_LABELS[role]}</text>'
