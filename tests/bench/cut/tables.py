"""The finished table in Markdown, from its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.cut.parts import LOSSLESS, QUANTISED, Row

_Name = Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Which rows of a part stand under which name and in which column."""

    title: str
    part: str
    name: _Name
    column: _Name
    kind: str = LOSSLESS


def markdown(rows: Sequence[Row]) -> Iterator[str]:
    """Lines: a table for each part that has rows and each held-out text."""
    terms = rows[0]
    yield (
        f"Measured and repaired on {terms['tokens']:,} tokens; rise of the log-perplexity over the "
        f"whole model on {terms['windows']} windows of 512 tokens, ± its standard error over them."
    )
    for grid in _grids():
        mine = [row for row in rows if row.get("part") == grid.part and "rise" in row]
        mine = [row for row in mine if row.get("kind", LOSSLESS) == grid.kind]
        for text in terms["held_out"]:
            if mine:
                yield from _table(f"{grid.title}, {text}", mine, text, grid)
                yield from _shares(mine, text)
    yield from _sentences(rows)


def _grids() -> Iterator[_Grid]:
    for kind in (LOSSLESS, *QUANTISED):
        part = "neurons" if kind == LOSSLESS else "quantised"
        yield _Grid(f"Neurons, {kind}", part, _road("score"), _width, kind)
    yield _Grid("Heads", "heads", _road("score"), lambda row: str(row["heads"]))
    yield _Grid("Layers", "layers", _road("by"), lambda row: f"{row['gone']} fewer")
    yield _Grid("Calibration", "calibration", _road("text"), lambda row: f"{row['blocks']} blocks")


def _road(key: str) -> _Name:
    return lambda row: ", ".join((row[key], *([row["repair"]] if "repair" in row else [])))


def _width(row: Row) -> str:
    return f"{row['widths']} {row['blocks']}" if "widths" in row else "uncut"


def _table(title: str, rows: Sequence[Row], text: str, grid: _Grid) -> Iterator[str]:
    """The best of each column is bold."""
    columns = list(dict.fromkeys(map(grid.column, rows)))
    best = {
        one: min(_rise(row, text) for row in rows if grid.column(row) == one) for one in columns
    }
    yield from ("", f"### {title}", "", _line(["", *columns]))
    yield _line(["---", *["---:"] * len(columns)])
    for name in dict.fromkeys(map(grid.name, rows)):
        mine = {grid.column(row): row for row in rows if grid.name(row) == name}
        yield _line([name, *(_cell(mine.get(one), text, best[one]) for one in columns)])


def _cell(row: Row | None, text: str, best: float) -> str:
    if row is None:
        return ""
    rise = _rise(row, text)
    shown = f"{rise:.3f} ± {row['error'][text]:.3f}"
    return f"**{shown}**" if rise == best else shown


def _rise(row: Row, text: str) -> float:
    return float(row["rise"][text])


def _shares(rows: Iterable[Row], text: str) -> Iterator[str]:
    """What the best road's rise is of plain magnitude's, at each number of blocks."""
    by_blocks: dict[int, list[Row]] = {}
    for row in rows:
        if "widths" in row:
            by_blocks.setdefault(row["blocks"], []).append(row)
    parts = []
    for blocks, mine in by_blocks.items():
        plain = next((row for row in mine if _is_plain(row)), None)
        if plain is not None:
            best = min(mine, key=lambda row: _rise(row, text))
            share = _rise(best, text) / _rise(plain, text)
            parts.append(f"{blocks} blocks {share:.2f} ({_road('score')(best)}, {best['widths']})")
    if parts:
        yield from ("", "Best road over plain magnitude: " + "; ".join(parts) + ".")


def _is_plain(row: Mapping[str, object]) -> bool:
    return (row["score"], row["repair"], row["widths"]) == ("magnitude", "none", "uniform")


def _sentences(rows: Iterable[Row]) -> Iterator[str]:
    """What is told in words: refusals, and how many neurons two texts choose alike."""
    for row in rows:
        if "refused" in row:
            yield from ("", f"{row['heads']}: refused. {row['refused']}")
        if "shared" in row:
            yield from (
                "",
                f"Of {row['blocks']} blocks, {row['shared']:.1%} of the neurons are chosen by both "
                f"texts ({row['overlap']}); by chance it would be {row['by_chance']:.1%}.",
            )


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
