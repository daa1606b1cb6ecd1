"""Evaluations in a JSON file: enough to ask again, to judge again, and to pair with another.

Nothing in it is a question's text or a model's writing, so it may be published with a model. The
only clock is in `seconds`, at the end: the rest is the same whenever the same is asked.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.strictjson import parse_object
from converter.evaluate.analysis import group_errors
from converter.evaluate.evaluation import Evaluation
from converter.evaluate.judgement import Judgement, summarise
from converter.evaluate.outcome import Outcome
from converter.evaluate.paired import Pair
from converter.evaluate.typed import decode

VERSION = 1
"""Of the file's form."""
_LARGEST_FILE = 512 * 2**20
"""Bytes: a million questions take about 300 MB."""
_MOST_LABELS = 26
_MOST_NATS = 1e9
"""No log-likelihood of a text that fits a context is as low."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_APART = ("outcomes", "seconds")
_KEYS = {"bedside_evaluation", "evaluations", "pairs", "seconds"}


def record(evaluations: Sequence[Evaluation], pairs: Sequence[Pair] = ()) -> str:
    """The text of the file: an outcome a line, and beside them what they come to.

    What a model wrote is left out: it may repeat the question.
    """
    seconds = json.dumps([round(one.seconds, 3) for one in evaluations])
    tested = json.dumps([dataclasses.asdict(one) for one in pairs])
    return (
        f'{{"bedside_evaluation": {VERSION},\n"evaluations": [\n'
        + ",\n".join("".join(_evaluation(one)) for one in evaluations)
        + f'\n],\n"pairs": {tested},\n"seconds": {seconds}}}\n'
    )


def read_record(path: Path) -> tuple[Evaluation, ...]:
    """The evaluations in a file that `record` wrote; what they come to is left to be counted again.

    Raises:
        BadInputError: the file is missing, foreign, newer, damaged, or says what cannot be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise BadInputError(
            f"The evaluation {one_line(str(path))} cannot be read; make one with "
            "`bedside-convert evaluate … -o NAME`."
        ) from error
    name = one_line(path.name, 80)
    if len(data) > _LARGEST_FILE:
        raise BadInputError(f"{name} is far larger than any evaluation; name the evaluation.")
    told = parse_object(data, name)
    _check_form(told, name)
    held, seconds = told["evaluations"], told["seconds"]
    if not isinstance(held, list) or not isinstance(seconds, list) or len(held) != len(seconds):
        raise BadInputError(f"{name} does not say how long each evaluation took; it is damaged.")
    return tuple(
        _read(one, took, f"{name}, evaluation {number}")
        for number, (one, took) in enumerate(zip(held, seconds, strict=True), 1)
    )


def _evaluation(evaluation: Evaluation) -> Iterator[str]:
    head = {
        field.name: _plain(getattr(evaluation, field.name))
        for field in dataclasses.fields(evaluation)
        if field.name not in _APART
    }
    head["results"] = _results(evaluation)
    yield json.dumps(head, indent=1, allow_nan=False).removesuffix("\n}")
    yield ',\n "outcomes": [\n  '
    yield ",\n  ".join(_outcome(outcome) for outcome in evaluation.outcomes)
    yield "\n ]\n}"


def _plain(value: Any) -> Any:
    """A field's value as JSON has it; a mapping may be of a kind that `asdict` cannot copy."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value if isinstance(value, (str, int, float, tuple)) else dict(value)


def _outcome(outcome: Outcome) -> str:
    """One line, without what was written and without what is as it is by default."""
    told = {
        field.name: getattr(outcome, field.name)
        for field in dataclasses.fields(outcome)
        if field.name != "written" and getattr(outcome, field.name) != field.default
    }
    return json.dumps(told, allow_nan=False)


def _results(evaluation: Evaluation) -> dict[str, object]:
    """The summary with what its values compute; read by people and programs, not by Bedside."""
    found = summarise(evaluation)
    sure = found.calibration
    return {
        "whole": _judged(found.whole),
        "fitting": None if found.fitting is None else _judged(found.fitting),
        "too_long": found.too_long,
        "otherwise": None if found.otherwise is None else _judged(found.otherwise),
        "subjects": {subject: _judged(one) for subject, one in found.subjects},
        "calibration": None if sure is None else {"error": sure.error, **dataclasses.asdict(sure)},
        "errors": [
            {
                "by": group.by,
                "name": group.name,
                "questions": group.questions,
                "errors": group.errors,
            }
            for group in group_errors(evaluation)
        ],
    }


def _judged(judgement: Judgement) -> dict[str, object]:
    told = dataclasses.asdict(judgement)
    for name, metrics in (("metrics", judgement.metrics), ("baseline", judgement.baseline)):
        label, share = metrics.commonest
        told[name] |= {"accuracy": metrics.accuracy, "commonest": label, "commonest_share": share}
    return {**told, "sentence": judgement.sentence}


def _check_form(told: dict[str, Any], name: str) -> None:
    version = told.get("bedside_evaluation")
    if isinstance(version, int) and version > VERSION:
        raise BadInputError(
            f"{name} was written by a newer Bedside (form {version}, this one reads {VERSION}); "
            "update this one."
        )
    if version != VERSION or isinstance(version, bool) or set(told) != _KEYS:
        raise BadInputError(
            f"{name} is no evaluation; name a file that `bedside-convert evaluate … -o` wrote."
        )


def _read(told: Any, seconds: Any, where: str) -> Evaluation:
    if not isinstance(told, dict) or "results" not in told:
        raise BadInputError(f"{where} is not whole; the file is damaged, so evaluate again.")
    kept = {name: value for name, value in told.items() if name != "results"}
    found = decode(Evaluation, {**kept, "seconds": seconds}, where)
    _check(found, where)
    return found


def _check(found: Evaluation, where: str) -> None:
    """Refuse what types allow and no evaluation is."""
    hashes = [found.model_sha256, found.data_sha256]
    hashes += [one for one in (found.train_sha256, found.passages_sha256) if one]
    ids = {outcome.id for outcome in found.outcomes}
    sound = (
        all(_SHA256.fullmatch(one) for one in hashes)
        and 0 < len(found.outcomes) == len(ids) <= found.available
        and len(set(found.labels)) == len(found.labels) <= _MOST_LABELS
        and found.seconds >= 0
        and all(_is_sound(outcome, len(found.labels)) for outcome in found.outcomes)
    )
    if not sound:
        raise BadInputError(
            f"{where} says what no evaluation can (a hash, an index or a count is wrong); it is "
            "damaged or was edited, so evaluate again."
        )


def _is_sound(outcome: Outcome, labels: int) -> bool:
    return (
        0 < outcome.options <= labels
        and 0 <= outcome.truth < outcome.options
        and (outcome.choice is None or 0 <= outcome.choice < outcome.options)
        and (outcome.choice is None or outcome.fits)
        and len(outcome.scores) in (0, outcome.options)
        and len(outcome.sums) in (0, outcome.options)
        and len(outcome.lengths) == len(outcome.sums)
        and all(abs(score) < _MOST_NATS for score in (*outcome.scores, *outcome.sums))
        and all(length > 0 for length in outcome.lengths)
    )
