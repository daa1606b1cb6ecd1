"""One HTML page with everything in it: no script, no file beside it, nothing to fetch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from app.monitor.logreader import RunLog
from app.monitor.report.sentences import ROWS, column, sentences
from app.monitor.report.series import Series, series_of
from app.monitor.report.summary import Summary
from app.monitor.report.terminal import scale
from app.monitor.report.verdict import Verdict

WIDTH, HEIGHT = 640, 160
LEFT, BOTTOM, TOP = 56, 22, 10

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem;
  color: #1c1e21; background: #fff; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: #555; }
.axis { stroke: #999; } .line { fill: none; stroke: #1668a8; stroke-width: 1.5; }
.limit { stroke: #b3261e; stroke-dasharray: 6 4; }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #16181b; }
  th, td { border-color: #3a3d42; } svg text { fill: #aaa; } .line { stroke: #6db3ea; } }
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """A run with what was made of it."""

    log: RunLog
    summary: Summary
    verdict: Verdict | None


def page(runs: Sequence[Reported]) -> str:
    """The page: sentences of each run, the table of all, the plots side by side."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Bedside: a run</title>',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">",
        f"<style>{_STYLE}</style></head><body><h1>Bedside: {_count(len(runs))}</h1>",
        *(part for run in runs for part in _words(run)),
        *_table(runs),
        '<div class="runs">',
        *(part for run in runs for part in _plots(run)),
        "</div></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _count(runs: int) -> str:
    return "a run" if runs == 1 else f"{runs} runs"


def _words(run: Reported) -> Iterator[str]:
    yield f"<h2>{escape(run.log.header.id)}</h2>"
    for sentence in sentences(run.log, run.summary, run.verdict):
        yield f"<p>{escape(sentence)}</p>"


def _table(runs: Sequence[Reported]) -> Iterator[str]:
    columns = [column(run.log, run.summary, run.verdict) for run in runs]
    yield "<table>"
    for name, *cells in zip(ROWS, *columns, strict=True):
        row = "".join(f"<td>{escape(one)}</td>" for one in cells)
        yield f"<tr><th>{escape(name)}</th>{row}</tr>"
    yield "</table>"


def _plots(run: Reported) -> Iterator[str]:
    budget = run.verdict.budget_w if run.verdict else None
    yield f"<section><h3>{escape(run.log.header.id)}</h3>"
    for series in series_of(run.log):
        if series.known:
            yield svg(series, budget if series.unit == "W" else None)
        else:
            yield f"<p>{escape(series.title)} is not known.</p>"
    yield "</section>"


def svg(series: Series, limit: float | None = None) -> str:
    """One series as an inline SVG; a gap in the readings is a gap in the line."""
    values = [value for _, value in series.points if value is not None]
    low, high = scale([*values, *([limit] if limit is not None else [])])
    begin, end = series.points[0][0], max(at for at, _ in series.points)
    span = max(end - begin, 1e-9)

    def x(at: float) -> float:
        return LEFT + (at - begin) / span * (WIDTH - LEFT - 8)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    title = f"{series.title}, {series.unit}"
    base = HEIGHT - BOTTOM
    drawn = "".join(
        '<polyline class="line" points="'
        + " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in stretch)
        + '"/>'
        for stretch in _stretches(series)
    )
    line = "" if limit is None else _level("limit", y(limit))
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(title)}">{_level("axis", base)}{line}{drawn}'
        f'<text x="0" y="{TOP + 8}">{high:.1f}</text><text x="0" y="{base}">{low:.1f}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 4}">{begin:.0f} s</text>'
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 4}" text-anchor="end">{end:.0f} s</text>'
        "</svg></figure>"
    )


def _level(kind: str, y: float) -> str:
    return f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _stretches(series: Series) -> Iterator[list[tuple[float, float]]]:
    """Points without a break, at least two (one alone is drawn as a dash)."""
    stretch: list[tuple[float, float]] = []
    for at, value in (*series.points, (0.0, None)):
        if value is not None:
            stretch.append((at, value))
        elif stretch:
            yield (
                stretch if len(stretch) > 1 else [stretch[0], (stretch[0][0] + 0.5, stretch[0][1])]
            )
            stretch = []
