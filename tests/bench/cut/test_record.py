"""Rows that stand in a file are not measured again; the tables say what the rows say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import BadInputError, UsageError
from tests.bench.cut.bench import Loss
from tests.bench.cut.parts import Job, Row
from tests.bench.cut.record import Record
from tests.bench.cut.tables import markdown

CONDITIONS = {"source": "0", "held_out": {"val": ["1"]}, "tokens": 64, "windows": 2}


def cut(score: str, repair: str, rise: float) -> Row:
    key = {"part": "neurons", "score": score, "widths": "uniform", "blocks": 24, "repair": repair}
    return {**key, "kind": "lossless", "rise": {"val": rise}, "error": {"val": 0.01}}


def once(row: Row) -> Callable[[], Row]:
    """A measurement that may be made a single time."""
    left = [row]
    return left.pop


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    job = Job({"part": "layers", "gone": 1}, once({"rise": 0.5}))
    assert list(Record(path, CONDITIONS).done([job])) == [
        {"part": "layers", "gone": 1, "rise": 0.5}
    ]
    again = Record(path, CONDITIONS)
    assert list(again.done([job])) == [{"part": "layers", "gone": 1, "rise": 0.5}]
    assert len(path.read_text().splitlines()) == 2


def test_a_torn_line_is_dropped_and_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    Record(path, CONDITIONS).add({"part": "full"})
    with path.open("a") as file:
        file.write('{"part": "lay')
    record = Record(path, CONDITIONS)
    record.add({"part": "layers"})
    assert [json.loads(line) for line in path.read_text().splitlines()] == record.rows
    assert record.rows == [CONDITIONS, {"part": "full"}, {"part": "layers"}]


def test_rows_of_other_conditions_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    Record(path, CONDITIONS)
    with pytest.raises(UsageError, match="another model, text"):
        Record(path, {**CONDITIONS, "tokens": 128})
    path.write_text("no rows\n")
    with pytest.raises(BadInputError, match="holds no rows"):
        Record(path, CONDITIONS)


def test_a_rise_is_told_window_by_window() -> None:
    rise, error = Loss((2.0, 3.0)).rise(Loss((1.5, 2.7)))
    assert rise == pytest.approx(0.4)
    assert error == pytest.approx(0.1)  # standard deviation 0.1 * sqrt 2, over sqrt 2


def test_tables_show_the_best_and_its_share_of_magnitude() -> None:
    rows: list[Row] = [
        CONDITIONS,
        cut("magnitude", "none", 0.5),
        cut("second-order", "restored", 0.1),
        {"part": "heads", "heads": "6 of 8", "refused": "It would not fit."},
        {"part": "calibration", "overlap": "a, b", "blocks": 24, "shared": 0.8, "by_chance": 0.5},
    ]
    lines = list(markdown(rows))
    assert "| magnitude, none | 0.500 ± 0.010 |" in lines
    assert "| second-order, restored | **0.100 ± 0.010** |" in lines
    assert any("24 blocks 0.20 (second-order, restored, uniform)" in line for line in lines)
    assert "6 of 8: refused. It would not fit." in lines
    assert any("80.0% of the neurons" in line and "50.0%" in line for line in lines)
