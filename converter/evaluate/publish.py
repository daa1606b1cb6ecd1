"""The files of an evaluation, each whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.errors import UsageError
from app.sanitise import one_line
from converter.evaluate import plots
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.examples import analysis_lines, analysis_page
from converter.evaluate.paired import Pair
from converter.evaluate.question import QuestionSet
from converter.evaluate.record import record
from converter.evaluate.report import markdown
from converter.files import check_not_read, check_output, whole_file

_REPORT = (".json", ".md", ".svg", "-reliability.svg")
_ANALYSIS = ("-errors.jsonl", "-errors.md")
_LONGEST_NAME = 160
"""Bytes; with the endings, a set's name and what marks an unfinished file it stays below 255."""


def check_outputs(out: Path, inputs: Sequence[Path] = ()) -> None:
    """See that the files can be written, before any question is asked.

    Args:
        out: the common name of the files.
        inputs: what is read; a report does not take the place of what it is about.

    Raises:
        UsageError: the folder is missing, the name is too long, or something that is no file, or
            is read itself, has one of the names.
    """
    if len(os.fsencode(out.name)) > _LONGEST_NAME:
        raise UsageError(
            f"{one_line(out.name, 40)} is too long for the name of several files; take a shorter "
            "one."
        )
    for ending in (*_REPORT, *_ANALYSIS):
        check_output(_beside(out, ending), force=True)
        check_not_read(_beside(out, ending), inputs)


def write_report(
    out: Path, evaluations: Sequence[Evaluation], pairs: Sequence[Pair] = ()
) -> tuple[Path, ...]:
    """Write NAME.json, NAME.md and two pictures; none holds a question's text.

    Returns:
        What was written.
    """
    accuracy, reliability = (_beside(out, ending) for ending in (".svg", "-reliability.svg"))
    pictures = [("Accuracy", accuracy.name), ("Reliability", reliability.name)]
    contents = {
        _beside(out, ".json"): record(evaluations, pairs),
        _beside(out, ".md"): markdown(evaluations, pairs, pictures),
        accuracy: plots.accuracy(evaluations),
        reliability: plots.reliability(evaluations),
    }
    for path, content in contents.items():
        _write(path, [content])
    return tuple(contents)


def write_analysis(out: Path, asked: Sequence[tuple[Evaluation, QuestionSet]]) -> tuple[Path, ...]:
    """Write NAME-errors.jsonl and NAME-errors.md, which hold the questions and are their user's.

    Returns:
        What was written.
    """
    lines, page = (_beside(out, ending) for ending in _ANALYSIS)
    _write(lines, (f"{line}\n" for one in asked for line in analysis_lines(*one)))
    _write(page, (analysis_page(*one) for one in asked))
    return lines, page


def _beside(out: Path, ending: str) -> Path:
    if not out.name:
        raise UsageError(f"{one_line(str(out))} is a folder; give the files a name in it.")
    return out.with_name(out.name + ending)


def _write(path: Path, texts: Iterable[str]) -> None:
    check_output(path, force=True)
    with whole_file(path) as file:
        for text in texts:
            file.write(text.encode("utf-8"))
