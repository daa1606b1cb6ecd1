"""Evaluations as SVG pictures: accuracy with its interval, and confidence against accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from app.sanitise import one_line
from converter.evaluate.calibration import Bin, Calibration
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import Judgement, summarise
from converter.evaluate.paired import way
from converter.svg import BLUE, GREEN, GREY, RED, picture

_WIDTH = 760
_NAMES, _RIGHT, _TOP = 300, 20, 70
_ROW = 34
_PANEL, _GAP, _ACROSS = 200, 50, 3
_HEAD = 64
"""Room above a panel: for its names, and over the first for the picture's title."""
_TENTHS = [tenth / 10 for tenth in range(11)]


def accuracy(evaluations: Sequence[Evaluation]) -> str:
    """A line for each evaluation: its interval, with chance and majority marked beside it."""
    base = _TOP + _ROW * len(evaluations)
    parts = [*_legend(), *_grid(base)]
    for number, evaluation in enumerate(evaluations):
        found = summarise(evaluation).whole
        parts += _interval(evaluation, found, _TOP + _ROW * number + _ROW / 2)
    return picture("Accuracy with its 95% interval", _WIDTH, base + 30, parts, left=20)


def reliability(evaluations: Sequence[Evaluation]) -> str:
    """A panel for each evaluation that has confidences: on the line, it is as right as it is sure.

    A point's area grows with its bin's share of the answers.
    """
    found = [(one, sure) for one in evaluations if (sure := summarise(one).calibration) is not None]
    rows = -(-len(found) // _ACROSS)
    parts: list[str] = []
    for number, (evaluation, sure) in enumerate(found):
        left = _GAP + (number % _ACROSS) * (_PANEL + _GAP)
        top = _HEAD + (number // _ACROSS) * (_PANEL + _HEAD)
        parts += _panel(evaluation, sure, left, top)
    if not found:
        parts.append(f'<text x="{_GAP}" y="{_GAP - 10}">No answer has a confidence.</text>')
    height = _GAP + rows * (_PANEL + _HEAD)
    return picture("Accuracy over confidence", _WIDTH + 20, height, parts, left=_GAP)


def _x(share: float) -> float:
    return _NAMES + share * (_WIDTH - _RIGHT - _NAMES)


def _grid(base: float) -> Iterator[str]:
    for tenth in _TENTHS:
        x = _x(tenth)
        yield f'<path d="M{x:.1f} {_TOP}V{base}" stroke="#eeeeee"/>'
        yield f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{tenth:g}</text>'


def _interval(evaluation: Evaluation, found: Judgement, y: float) -> Iterator[str]:
    name = f"{one_line(evaluation.task, 20)}: {one_line(evaluation.model, 34)}"
    metrics = found.metrics
    yield f'<text x="20" y="{y:.1f}">{escape(name)}</text>'
    yield f'<text x="20" y="{y + 11:.1f}" font-size="8">{escape(way(evaluation))}</text>'
    yield (
        f'<path d="M{_x(metrics.interval.low):.1f} {y:.1f}H{_x(metrics.interval.high):.1f}" '
        f'stroke="{BLUE}" stroke-width="2"/>'
    )
    yield f'<circle cx="{_x(metrics.accuracy):.1f}" cy="{y:.1f}" r="4" fill="{BLUE}"/>'
    yield _tick(found.chance, y, GREY)
    yield _tick(found.baseline.accuracy, y, RED)


def _tick(share: float, y: float, colour: str) -> str:
    return f'<path d="M{_x(share):.1f} {y - 9:.1f}v18" stroke="{colour}" stroke-width="2"/>'


def _legend() -> Iterator[str]:
    for x, colour, words in (
        (20, BLUE, "accuracy and interval"),
        (190, GREY, "chance"),
        (270, RED, "majority of the set"),
    ):
        yield f'<rect x="{x}" y="40" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 16}" y="49">{words}</text>'


def _panel(evaluation: Evaluation, sure: Calibration, left: int, top: int) -> Iterator[str]:
    base, task = top + _PANEL, one_line(evaluation.task, 30)
    yield f'<text x="{left}" y="{top - 16}">{escape(task)} (error {sure.error:.3f})</text>'
    model = one_line(evaluation.model, 36)
    yield f'<text x="{left}" y="{top - 5}" font-size="8">{escape(model)}</text>'
    yield f'<path d="M{left} {top}V{base}H{left + _PANEL}" stroke="{GREY}" fill="none"/>'
    yield f'<path d="M{left} {base}L{left + _PANEL} {top}" stroke="#cccccc"/>'
    for half in (0.0, 0.5, 1.0):
        x, y = left + half * _PANEL, base - half * _PANEL
        yield f'<text x="{x:.1f}" y="{base + 14}" text-anchor="middle">{half:g}</text>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{half:g}</text>'
    for one in sure.bins:
        if one.questions:
            yield _point(one, sure.questions, left, base)


def _point(one: Bin, questions: int, left: int, base: int) -> str:
    x, y = left + one.confidence * _PANEL, base - one.accuracy * _PANEL
    radius = 2 + 8 * (one.questions / questions) ** 0.5
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{GREEN}" fill-opacity="0.7">'
        f"<title>{one.questions} answers</title></circle>"
    )
