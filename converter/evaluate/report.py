"""Evaluations as text for a terminal and as a Markdown page that holds nobody's questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from converter.evaluate import tables
from converter.evaluate.analysis import group_errors
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import Summary, summarise
from converter.evaluate.paired import Pair
from converter.evaluate.sentences import conditions, heading, verdicts
from converter.lines import aligned, escaped, markdown_table

_NOTE = (
    "P, R and F1 are weighted by the classes' support; macro ones are plain means over the classes "
    "that occur. Chance is one over the options. The majority is that of these very questions. "
    "Intervals are Wilson's. A margin is how far the best option's score stands above the next, in "
    "nats; divided by bytes where the scores are."
)


def terminal(evaluations: Sequence[Evaluation], pairs: Sequence[Pair] = ()) -> Iterator[str]:
    """Lines for a terminal: each evaluation's answers beside guessing, and what they mean."""
    for evaluation in evaluations:
        summary = summarise(evaluation)
        yield heading(evaluation)
        yield from aligned(tables.answers(summary))
        yield from verdicts(evaluation, summary)
        if summary.subjects:
            yield ""
            yield from aligned(tables.short_subjects(summary))
        yield ""
        yield from conditions(evaluation)
        yield _speed(evaluation)
        yield ""
    yield from (one.sentence for one in pairs)
    yield _NOTE


def markdown(
    evaluations: Sequence[Evaluation],
    pairs: Sequence[Pair] = (),
    plots: Sequence[tuple[str, str]] = (),
) -> str:
    """A page to lie beside a model's card.

    Args:
        evaluations: in the order of the page.
        pairs: what was tested against each other.
        plots: what pictures show, and the names of their files, which lie beside the page.
    """
    summaries = [summarise(evaluation) for evaluation in evaluations]
    lines = [
        "# Multiple-choice questions",
        "",
        *_table(tables.overview(evaluations, summaries)),
        "",
        *(f"![{escaped(title)}]({quote(name)})" for title, name in plots),
        "",
        escaped(_NOTE),
    ]
    if pairs:
        lines += ["", "## One against another", "", *_listed(one.sentence for one in pairs)]
    for evaluation, summary in zip(evaluations, summaries, strict=True):
        lines += ["", *_section(evaluation, summary)]
    return "\n".join(lines) + "\n"


def _section(evaluation: Evaluation, summary: Summary) -> Iterator[str]:
    yield f"## {escaped(heading(evaluation))}"
    yield ""
    yield from _table(tables.answers(summary))
    yield ""
    yield from _listed(verdicts(evaluation, summary))
    yield ""
    yield from _table(tables.confusion(summary.whole.metrics))
    if summary.subjects:
        yield ""
        yield from _table(tables.subjects(summary))
    yield ""
    yield from _table(tables.errors(group_errors(evaluation)))
    yield ""
    yield from _listed(conditions(evaluation))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    return markdown_table([[escaped(cell) for cell in row] for row in rows])


def _listed(sentences: Iterator[str]) -> Iterator[str]:
    return (f"- {escaped(sentence)}" for sentence in sentences)


def _speed(evaluation: Evaluation) -> str:
    asked = len(evaluation.outcomes)
    rate = f", {asked / evaluation.seconds:,.1f} questions a second" if evaluation.seconds else ""
    return f"It took {evaluation.seconds:,.1f} seconds{rate}."
