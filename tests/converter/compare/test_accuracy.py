"""Saved evaluations in the comparison: beside the files they were made of, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadInputError, UsageError
from converter.compare.accuracy import read_evaluations, with_accuracies
from converter.compare.report import markdown, record, terminal
from converter.compare.table import Table
from converter.evaluate.evaluation import Evaluation, Settings
from converter.evaluate.record import record as evaluation_record
from tests.converter.compare.tables import row, table
from tests.converter.evaluate.evaluations import evaluation, outcomes

CUT = replace(row("cut", 15, 9.0, "candidate"), sha256="a" * 64)
WHOLE = replace(row("whole", 30, 8.0, "candidate"), sha256="b" * 64)
TRUTHS = [number % 4 for number in range(80)]
WRONG = [(number + 1) % 4 for number in range(80)]
SKILLED = evaluation(outcomes(TRUTHS, [*TRUTHS[:60], *WRONG[60:]]), sha256="a" * 64)
GUESSING = evaluation(outcomes(TRUTHS, [*TRUTHS[:20], *WRONG[20:]]), sha256="b" * 64)


def compared(*evaluations: Evaluation) -> Table:
    named: Sequence[tuple[str, Evaluation]] = [("e.json", one) for one in evaluations]
    return with_accuracies(table(CUT, WHOLE), named)


def test_an_accuracy_stands_in_the_row_of_its_file_alone() -> None:
    found = compared(SKILLED, GUESSING)
    marked = {one.name: one.marks for one in found.rows if one.marks != (None,)}
    assert set(marked) == {"cut", "whole"}
    (mark,) = marked["cut"]
    assert mark is not None
    assert (mark.value, mark.skilled) == (0.75, True)
    assert mark.low < 0.75 < mark.high
    (exam,) = found.exams
    assert (exam.task, exam.questions, exam.chance, exam.majority) == ("quiz", 80, 0.25, 0.25)


def test_the_reports_show_it_beside_perplexity_and_call_guessing_so() -> None:
    found = compared(SKILLED, GUESSING)
    lines = list(terminal(found))
    assert lines[0].endswith("accuracy quiz")
    cut = next(line for line in lines if line.startswith("cut"))
    assert "9.000 ± 0.100" in cut
    assert "0.7500 (0." in cut
    assert lines[-1].endswith("these show no skill beyond guessing: whole.")
    assert any("80 questions, asked by letter" in line for line in lines)
    head = markdown(found).splitlines()[0]
    assert head.count("|") == 8
    assert '"skilled": true' in record(found)


def test_another_way_of_asking_is_another_column() -> None:
    by_text = replace(SKILLED, settings=Settings(mode="text"))
    fewer = replace(SKILLED, outcomes=SKILLED.outcomes[:40])
    assert len(compared(SKILLED, by_text, fewer).exams) == 3


def test_an_evaluation_of_another_file_is_refused() -> None:
    other = replace(SKILLED, model="other.gguf", model_sha256="c" * 63 + "0")
    with pytest.raises(BadInputError, match=r"e\.json evaluates other\.gguf .* has that hash"):
        compared(SKILLED, other)


def test_the_same_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="a second time"):
        compared(SKILLED, replace(SKILLED, seconds=9.0))


def test_without_evaluations_the_table_is_as_it_was() -> None:
    assert compared() == table(CUT, WHOLE)


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "both.json"
    path.write_text(evaluation_record([SKILLED, GUESSING]))
    assert read_evaluations([path]) == [("both.json", SKILLED), ("both.json", GUESSING)]
