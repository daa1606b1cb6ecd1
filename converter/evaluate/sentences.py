"""What a report says in sentences: verdicts, and the conditions that the numbers hold under."""

from __future__ import annotations

from collections.abc import Iterator

from app.sanitise import one_line
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import Summary
from converter.evaluate.metrics import Metrics
from converter.evaluate.paired import way

_NAMED = 20
"""Ids of questions that did not fit, as many as a report names; the JSON has all."""
_ONE_ANSWER = 0.9
"""Share of the answers from which on their being the same is worth a sentence."""


def heading(evaluation: Evaluation) -> str:
    """The set, the model and how it was asked."""
    task, model = one_line(evaluation.task, 40), one_line(evaluation.model, 60)
    return f"{task}: {model}, asked {way(evaluation)}"


def verdicts(evaluation: Evaluation, summary: Summary) -> Iterator[str]:
    """What the numbers say."""
    whole = summary.whole
    yield whole.sentence
    if not whole.skilled:
        yield "So it shows no skill at these questions beyond guessing."
    if summary.too_long:
        yield _too_long(evaluation, summary)
    unread = whole.metrics.unchosen - len(summary.too_long)
    if unread:
        yield f"Answers that nothing could be read from, and so wrong: {unread:,}."
    yield from _one_answer(whole.metrics)
    if summary.otherwise is not None:
        other = "summed" if evaluation.normalised else "per byte"
        yield f"By the same scores {other}: {summary.otherwise.sentence}"
    if summary.calibration is not None:
        yield _calibrated(evaluation, summary.calibration.error, len(summary.calibration.bins))
    if summary.subjects:
        yield (
            "The majority beside a subject is that of its own questions. Of "
            f"{len(summary.subjects)} intervals about one in twenty misses by chance alone."
        )


def conditions(evaluation: Evaluation) -> Iterator[str]:
    """What was asked of what, so that it can be asked again."""
    census, settings = evaluation.census, evaluation.settings
    types = ", ".join(f"{one_line(share.kind, 10)} {share.tensors}" for share in census.shares)
    yield (
        f"Model {one_line(evaluation.model, 60)} (SHA-256 {evaluation.model_sha256[:16]}…): "
        f"{census.parameters:,} weights, {census.bits_per_weight:.2f} bits each; tensors: {types}."
    )
    drawn = f"{len(evaluation.outcomes):,} of {evaluation.available:,} questions"
    seeded = f", drawn by seed {settings.seed}" if settings.limit else ""
    yield f"Data SHA-256 {evaluation.data_sha256[:16]}…: {drawn}{seeded}."
    if evaluation.train_sha256:
        yield (
            f"{settings.shots} worked examples before each question, drawn by seed "
            f"{settings.seed} from a file of SHA-256 {evaluation.train_sha256[:16]}…."
        )
    if evaluation.passages_sha256:
        yield f"Passages from a file of SHA-256 {evaluation.passages_sha256[:16]}…."
    yield (
        f"Asked {way(evaluation)}; context {evaluation.context:,} tokens; template: "
        f"{one_line(evaluation.template, 120)}."
    )
    if settings.system:
        yield f"System message: {one_line(settings.system, 400)}"
    versions = evaluation.versions.items()
    yield ", ".join(f"{one_line(name, 40)} {one_line(version, 40)}" for name, version in versions)


def _one_answer(metrics: Metrics) -> Iterator[str]:
    label, share = metrics.commonest
    if share:
        share *= metrics.questions / (metrics.questions - metrics.unchosen)
    if share >= _ONE_ANSWER:
        yield f"It answers {one_line(label, 20)} to {share:.1%} of the questions it answers."


def _too_long(evaluation: Evaluation, summary: Summary) -> str:
    ids = summary.too_long
    named = ", ".join(one_line(one, 60) for one in ids[:_NAMED])
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    if summary.fitting is None:
        others = " None fits, so nothing was asked, and this says nothing of the model."
    else:
        others = f" Of the others: {summary.fitting.sentence}"
    return (
        f"Longer than the context of {evaluation.context:,} tokens, and so wrong: {len(ids):,} "
        f"({named}{more}).{others}"
    )


def _calibrated(evaluation: Evaluation, error: float, bins: int) -> str:
    doubt = (
        "; the scores are divided by bytes, so that confidence is no probability"
        if evaluation.normalised
        else ""
    )
    return f"Expected calibration error {error:.4f}, in {bins} bins of equal width{doubt}."
