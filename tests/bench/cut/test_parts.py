"""The table of the cut over a small checkpoint: every kind of row, and none measured twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.cut.ranking import Score
from tests.bench.cut.bench import Bench, Loss, Terms
from tests.bench.cut.parts import UNIFORM, Asked, full, jobs
from tests.bench.cut.record import Record, conditions
from tests.converter.checkpoints import Recipe, build


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    folder = build(tmp_path / "model", Recipe(dtype="F32", config={"max_position_embeddings": 512}))
    texts = {"medical": "a glaucoma takes sight away. ", "general": "the boat is late today. "}
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text * 80)
    medical, general = (tmp_path / f"{name}.txt" for name in texts)
    (tmp_path / "work").mkdir()
    terms = Terms(folder, (medical,), (general,), (medical, general), 1024, 2, 1)
    return Bench(terms, tmp_path / "work")


def test_every_part_gives_its_rows(bench: Bench, tmp_path: Path) -> None:
    record = Record(tmp_path / "rows.jsonl", conditions(bench))
    (whole,) = record.done([full(bench)])
    losses = {name: Loss(tuple(windows)) for name, windows in whole["losses"].items()}
    asked = Asked(("neurons", "quantised", "calibration"), (Score.SECOND_ORDER,), (2,), (UNIFORM,))
    rows = list(record.done(jobs(bench, asked, losses)))
    kinds = [row["kind"] for row in rows if "kind" in row]
    assert kinds == ["Q4_K_M", "Q3_K_M", *2 * ["lossless", "Q4_K_M", "Q3_K_M"]]
    assert [row["repair"] for row in rows if row.get("text") == "mixed"] == ["none", "restored"]
    neurons = [row for row in rows if row["part"] == "neurons"]
    assert [row["neuron_blocks"] for row in neurons] == [[1, 1], [1, 1]]
    assert neurons[0]["rise"] != neurons[1]["rise"]
    assert rows[-1]["by_chance"] == 0.5
    assert 0 < rows[-1]["shared"] <= 1
    again = Record(tmp_path / "rows.jsonl", conditions(bench))
    assert list(again.done(jobs(bench, asked, losses))) == rows
