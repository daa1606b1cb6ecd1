"""Saved evaluations beside the perplexities: a column for each set and way of asking."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.errors import BadInputError, UsageError
from app.sanitise import one_line
from converter.compare.table import Exam, Mark, Table
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import judge
from converter.evaluate.paired import same_questions, way
from converter.evaluate.record import read_record

Named = tuple[str, Evaluation]
"""The name of a file, and an evaluation from it."""


def read_evaluations(paths: Sequence[Path]) -> list[Named]:
    """All evaluations in these files.

    Raises:
        BadInputError: one of them is no evaluation.
    """
    return [(one_line(path.name, 80), one) for path in paths for one in read_record(path)]


def with_accuracies(table: Table, evaluations: Sequence[Named]) -> Table:
    """The table with each evaluation's accuracy in the rows whose file it was measured on.

    Raises:
        BadInputError: an evaluation is of a file that is in no row.
        UsageError: two are of one file, set and way of asking.
    """
    known = {row.sha256 for row in table.rows}
    for name, evaluation in evaluations:
        if evaluation.model_sha256 not in known:
            raise BadInputError(
                f"{name} evaluates {one_line(evaluation.model, 60)} (SHA-256 "
                f"{evaluation.model_sha256[:16]}…), and no file of this comparison has that hash; "
                "leave it out, or name the model among the candidates (perplexities are kept, so "
                "the next run is shorter)."
            )
    exams = _sorted_by_exam(evaluations)
    columns = [_marks(held) for held in exams]
    rows = [
        dataclasses.replace(row, marks=tuple(column.get(row.sha256) for column in columns))
        for row in table.rows
    ]
    return dataclasses.replace(
        table, rows=tuple(rows), exams=tuple(_exam(held[0][1]) for held in exams)
    )


def _sorted_by_exam(evaluations: Sequence[Named]) -> list[list[Named]]:
    """Those that were asked the same, and in the same way, together."""
    exams: list[list[Named]] = []
    for one in evaluations:
        alike = [held for held in exams if _is_same_exam(held[0][1], one[1])]
        if alike:
            alike[0].append(one)
        else:
            exams.append([one])
    return exams


def _is_same_exam(first: Evaluation, second: Evaluation) -> bool:
    fields = ("task", "settings", "train_sha256", "passages_sha256")
    alike = all(getattr(first, name) == getattr(second, name) for name in fields)
    return alike and same_questions(first, second)


def _marks(held: Sequence[Named]) -> Mapping[str, Mark]:
    """By the hash of the model's file."""
    marks: dict[str, Mark] = {}
    for name, evaluation in held:
        if evaluation.model_sha256 in marks:
            raise UsageError(
                f"{name} evaluates {one_line(evaluation.model, 60)} on "
                f"{one_line(evaluation.task, 40)} a second time; give one file of each."
            )
        found = judge(evaluation.outcomes, evaluation.labels)
        interval = found.metrics.interval
        marks[evaluation.model_sha256] = Mark(
            found.metrics.accuracy, interval.low, interval.high, found.skilled
        )
    return marks


def _exam(evaluation: Evaluation) -> Exam:
    found = judge(evaluation.outcomes, evaluation.labels)
    return Exam(
        task=evaluation.task,
        way=way(evaluation),
        questions=found.metrics.questions,
        data_sha256=evaluation.data_sha256,
        chance=found.chance,
        majority=found.baseline.accuracy,
    )
