"""The error analysis with the questions' own text: a file for its user, and none to publish."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from app.sanitise import one_line
from converter.evaluate.analysis import Group, group_errors
from converter.evaluate.calibration import confidence
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.outcome import Outcome
from converter.evaluate.question import Question, QuestionSet
from converter.evaluate.sentences import heading
from converter.lines import escaped

_LONGEST = 600
"""Characters of a question or option in the page; the lines hold all of them."""


def analysis_lines(evaluation: Evaluation, asked: QuestionSet) -> Iterator[str]:
    """A JSON object a line for each question, right or wrong, in the order of the set."""
    questions = _by_id(asked)
    for outcome in evaluation.outcomes:
        question = questions[outcome.id]
        told = {
            "task": evaluation.task,
            "id": outcome.id,
            "question": question.text,
            "options": dict(zip(evaluation.labels, question.options, strict=False)),
            "truth": evaluation.labels[outcome.truth],
            "choice": None if outcome.choice is None else evaluation.labels[outcome.choice],
            "right": outcome.correct,
            "scores": dict(zip(evaluation.labels, outcome.scores, strict=False)),
            "sums": dict(zip(evaluation.labels, outcome.sums, strict=False)),
            "margin": outcome.margin,
            "confidence": confidence(outcome),
            "subject": outcome.subject,
            "tokens": outcome.tokens,
            "fits": outcome.fits,
            "written": outcome.written,
        }
        yield json.dumps(told, allow_nan=False)


def analysis_page(evaluation: Evaluation, asked: QuestionSet) -> str:
    """Markdown: each group of questions, with the errors that the model was surest of."""
    questions = _by_id(asked)
    lines = [f"# Errors in {escaped(heading(evaluation))}", ""]
    lines.append("This page holds questions of the set; their publisher's terms apply to it.")
    for group in group_errors(evaluation):
        lines += ["", *_section(group, evaluation, questions)]
    return "\n".join(lines) + "\n"


def _by_id(asked: QuestionSet) -> Mapping[str, Question]:
    return {question.id: question for question in asked.questions}


def _section(
    group: Group, evaluation: Evaluation, questions: Mapping[str, Question]
) -> Iterator[str]:
    name = escaped(one_line(group.name, 60))
    yield f"## By {group.by}: {name}"
    yield ""
    yield f"{group.errors:,} of {group.questions:,} are wrong ({group.share:.1%})."
    for outcome in group.examples:
        yield ""
        yield from _example(outcome, evaluation, questions[outcome.id])


def _example(outcome: Outcome, evaluation: Evaluation, question: Question) -> Iterator[str]:
    margin = "" if outcome.margin is None else f", margin {outcome.margin:.4f}"
    yield f"**{_shown(outcome.id)}** ({outcome.tokens:,} tokens{margin}): {_shown(question.text)}"
    yield ""
    for index, option in enumerate(question.options):
        score = f" ({outcome.scores[index]:.4f})" if outcome.scores else ""
        marks = [
            word
            for word, at in (("true", outcome.truth), ("chosen", outcome.choice))
            if at == index
        ]
        told = f" **{', '.join(marks)}**" if marks else ""
        yield f"- {_shown(evaluation.labels[index])}: {_shown(option)}{score}{told}"
    if outcome.choice is None:
        yield "- Nothing was chosen."
    if outcome.written:
        yield f"- Written: {_shown(outcome.written)}"


def _shown(text: str) -> str:
    return escaped(one_line(text, _LONGEST))
