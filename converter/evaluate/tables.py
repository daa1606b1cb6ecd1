"""The rows of every report: cells of text, the first row of each table its titles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.sanitise import one_line
from converter.evaluate.analysis import Group
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import Judgement, Summary
from converter.evaluate.metrics import Metrics, Scores
from converter.evaluate.paired import way

Cells = list[str]

_RATES = ["P", "R", "F1", "macro P", "macro R", "macro F1"]


def overview(evaluations: Sequence[Evaluation], summaries: Sequence[Summary]) -> list[Cells]:
    """A row for each evaluation, with what guessing gives beside it."""
    titles = ["set", "asked", "model", "questions", "accuracy", "95% interval", "F1"]
    guesses = ["chance", "majority", "majority F1", "beyond guessing"]
    rows = [[*titles, *guesses, "calibration error"]]
    for evaluation, summary in zip(evaluations, summaries, strict=True):
        found, guess = summary.whole.metrics, summary.whole.baseline
        sure = summary.calibration
        rows.append(
            [
                one_line(evaluation.task, 40),
                way(evaluation),
                one_line(evaluation.model, 60),
                f"{found.questions:,}",
                f"{found.accuracy:.4f}",
                _interval(found),
                f"{found.weighted.f1:.4f}",
                f"{summary.whole.chance:.4f}",
                f"{guess.accuracy:.4f} ({one_line(summary.whole.majority, 20)})",
                f"{guess.weighted.f1:.4f}",
                _beyond(summary.whole),
                "" if sure is None else f"{sure.error:.4f}",
            ]
        )
    return rows


def answers(summary: Summary) -> list[Cells]:
    """The model's answers, and under them what both kinds of guessing give; then for what fits."""
    titles = ["answers", "questions", "accuracy", "95% interval", *_RATES, "margin", "same answer"]
    rows = [titles, *_judged("the model's", summary.whole)]
    if summary.fitting is not None:
        rows += _judged("the model's, to what fits", summary.fitting)
    return rows


def subjects(summary: Summary) -> list[Cells]:
    """A row for each subject, with its own majority and chance beside it."""
    guesses = ["majority", *(f"majority {rate}" for rate in _RATES), "chance", "beyond guessing"]
    rows = [["subject", "questions", "accuracy", "95% interval", *_RATES, *guesses]]
    for subject, found in summary.subjects:
        rows.append(
            [
                one_line(subject or "no subject", 40),
                *_counted(found.metrics),
                f"{found.baseline.accuracy:.4f} ({one_line(found.majority, 20)})",
                *_rated(found.baseline),
                f"{found.chance:.4f}",
                _beyond(found),
            ]
        )
    return rows


def short_subjects(summary: Summary) -> list[Cells]:
    """`subjects` as wide as a terminal is."""
    titles = ["subject", "questions", "accuracy", "95% interval", "F1", "majority", "chance"]
    titles.append("beyond guessing")
    return [
        titles,
        *(
            [
                one_line(subject or "no subject", 40),
                *_counted(found.metrics)[:3],
                f"{found.metrics.weighted.f1:.4f}",
                f"{found.baseline.accuracy:.4f}",
                f"{found.chance:.4f}",
                _beyond(found),
            ]
            for subject, found in summary.subjects
        ),
    ]


def confusion(metrics: Metrics) -> list[Cells]:
    """True labels down, chosen ones across, and each label's own precision, recall and F1."""
    labels = [one_line(one.label, 20) for one in metrics.classes]
    rows = [["true \\ chosen", *labels, "none", "precision", "recall", "F1"]]
    for label, counts, one in zip(labels, metrics.confusion, metrics.classes, strict=True):
        rows.append([label, *(f"{count:,}" for count in counts), *_three(one.scores)])
    return rows


def errors(groups: Sequence[Group]) -> list[Cells]:
    """How many of each group are wrong."""
    rows = [["by", "group", "questions", "errors", "share"]]
    for group in groups:
        counts = [f"{group.questions:,}", f"{group.errors:,}", f"{group.share:.4f}"]
        rows.append([group.by, one_line(group.name, 40), *counts])
    return rows


def _judged(name: str, found: Judgement) -> Iterator[Cells]:
    margin = "" if found.margin is None else f"{found.margin:.4f}"
    yield [name, *_counted(found.metrics), margin, _same(found.metrics)]
    always = f"always {one_line(found.majority, 20)} (majority)"
    yield [always, *_counted(found.baseline), "", _same(found.baseline)]
    blanks = [""] * (len(_RATES) + 3)
    yield ["chance", f"{found.metrics.questions:,}", f"{found.chance:.4f}", *blanks]


def _counted(metrics: Metrics) -> Cells:
    return [
        f"{metrics.questions:,}",
        f"{metrics.accuracy:.4f}",
        _interval(metrics),
        *_rated(metrics),
    ]


def _beyond(found: Judgement) -> str:
    return "yes" if found.skilled else "not shown"


def _interval(metrics: Metrics) -> str:
    return f"{metrics.interval.low:.4f} to {metrics.interval.high:.4f}"


def _rated(metrics: Metrics) -> Cells:
    return [*_three(metrics.weighted), *_three(metrics.macro)]


def _three(scores: Scores) -> Cells:
    return [f"{value:.4f}" for value in (scores.precision, scores.recall, scores.f1)]


def _same(metrics: Metrics) -> str:
    label, share = metrics.commonest
    return f"{one_line(label, 20)} {share:.1%}" if label else ""
