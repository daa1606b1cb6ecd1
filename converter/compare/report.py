"""The comparison as text for a terminal, as Markdown for a card, and as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from app.sanitise import one_line
from converter.compare.table import Mark, Row, Table, verdicts
from converter.lines import aligned, escaped, markdown_table

_MARKS = {"candidate": "**{}**", "full": "{}", "ladder": "{}", "weighed": "{}"}


def terminal(table: Table) -> Iterator[str]:
    """Lines for a terminal: the table, what it was measured on, the verdicts."""
    rows = [_titles(table), *(_cells(table, row) for row in _ordered(table))]
    yield from aligned(rows)
    yield ""
    yield from _conditions(table)
    yield ""
    yield from _sentences(table)


def markdown(table: Table, plot: str | None = None) -> str:
    """A section for a model's card; `plot` is the name of the picture that lies beside it."""
    rows = [[escaped(title) for title in _titles(table)]]
    for row in _ordered(table):
        name, *cells = _cells(table, row)
        rows.append([_MARKS[row.role].format(escaped(name)), *cells])
    lines = markdown_table(rows)
    told = [escaped(line) for line in (*_conditions(table), *_sentences(table))]
    picture = [] if plot is None else ["", f"![Perplexity over bytes]({quote(plot)})"]
    return "\n".join([*lines, *picture, "", *(f"- {line}" for line in told)]) + "\n"


def record(table: Table) -> str:
    """Everything, as JSON; a program can draw the same table from it."""
    judged = [
        {
            "candidate": verdict.candidate.name,
            "rival": None if verdict.rival is None else verdict.rival.name,
            "curve": verdict.curve,
            "wins": verdict.wins,
            "difference": verdict.difference,
            "close": verdict.close,
            "sentence": verdict.sentence,
        }
        for verdict in verdicts(table)
    ]
    return json.dumps({**dataclasses.asdict(table), "verdicts": judged}, indent=1) + "\n"


def _ordered(table: Table) -> Sequence[Row]:
    """The largest file first; what is measured stays beside its neighbours in bytes."""
    return sorted(table.rows, key=lambda row: (-row.nbytes, row.name))


def _titles(table: Table) -> list[str]:
    corpora = [f"perplexity {one_line(corpus.name, 40)}" for corpus in table.corpora]
    exams = [f"accuracy {one_line(exam.task, 40)}" for exam in table.exams]
    speeds = ["decode/s", "prefill/s", "memory"] if _has_speed(table) else []
    return ["file", "MB", "bits", "parameters", *corpora, *exams, *speeds]


def _cells(table: Table, row: Row) -> list[str]:
    scores = [f"{score.value:.3f} ± {score.error:.3f}" for score in row.scores]
    cells = [
        one_line(row.name, 60),
        f"{row.nbytes / 1e6:.2f}",
        f"{row.bits_per_weight:.2f}",
        f"{row.parameters:,}",
        *scores,
        *(_marked(mark) for mark in row.marks),
    ]
    if not _has_speed(table):
        return cells
    if row.speed is None:
        return [*cells, "", "", ""]
    memory = "" if row.speed.memory is None else f"{row.speed.memory / 1e6:.0f} MB"
    return [*cells, f"{row.speed.decode:.0f}", f"{row.speed.prefill:.0f}", memory]


def _marked(mark: Mark | None) -> str:
    return "" if mark is None else f"{mark.value:.4f} ({mark.low:.4f} to {mark.high:.4f})"


def _has_speed(table: Table) -> bool:
    return any(row.speed is not None for row in table.rows)


def _conditions(table: Table) -> Iterator[str]:
    """What the numbers were measured on, and with what."""
    for corpus in table.corpora:
        overlap = "" if corpus.overlap is None else (
            f"; {corpus.overlap:.1%} of its runs of 13 words stand in the calibration text"
        )  # fmt: skip
        yield (
            f"Perplexity on {one_line(corpus.name, 60)} (SHA-256 {corpus.sha256[:16]}…): context "
            f"{table.context}, {corpus.chunks} chunks, second halves scored, {corpus.tokens:,} "
            f"tokens{overlap}."
        )
    for exam in table.exams:
        yield (
            f"Accuracy on {one_line(exam.task, 60)} (SHA-256 {exam.data_sha256[:16]}…): "
            f"{exam.questions:,} questions, asked {exam.way}, with 95% intervals; chance "
            f"{exam.chance:.4f}, the majority {exam.majority:.4f}."
        )
    texts = ", ".join(f"{sha256[:16]}…" for sha256 in table.calibration)
    measured = f"measured on texts {texts}" if texts else "not measured: no rows by importance"
    full = f"{one_line(table.full, 60)} ({table.full_sha256[:16]}…)"
    yield f"Full model {full}; importance {measured}."
    speeds = [row.speed for row in table.rows if row.speed is not None]
    if speeds:
        yield (
            f"Speeds on {speeds[0].threads} threads: {speeds[0].generated} tokens after a prompt "
            f"of {speeds[0].prompt}, medians of 3; memory is the highest of a process of its own."
        )
    yield ", ".join(f"{name} {version}" for name, version in table.versions.items()) + "."


def _sentences(table: Table) -> list[str]:
    found = [one_line(verdict.sentence, 400) for verdict in verdicts(table)]
    found = found or ["There is no candidate: this is what the full model's own files give."]
    return [*found, *_guesses(table)]


def _guesses(table: Table) -> Iterator[str]:
    """Which files know no more of an exam than guessing gives."""
    for number, exam in enumerate(table.exams):
        names = [
            one_line(row.name, 60)
            for row in _ordered(table)
            if (mark := row.marks[number]) is not None and not mark.skilled
        ]
        if names:
            yield (
                f"On {one_line(exam.task, 60)}, asked {exam.way}, these show no skill beyond "
                f"guessing: {', '.join(names)}."
            )
