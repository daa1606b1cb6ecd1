"""How likely a model finds each option: the log-likelihood of its tokens after the prompt.

A question's prompt goes through the model once, shared by its options, and only the logits that
say something of an option's token are computed: those after the prompt's last token, and those
after each token of an option but its last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from app.sanitise import one_line
from converter.branches import Branches, Step
from converter.evaluate.evaluation import Settings
from converter.evaluate.outcome import Outcome
from converter.evaluate.prompts import Asked
from converter.measure import negative_log_likelihood


def score(
    branches: Branches, head: int, batch: Sequence[Asked], settings: Settings
) -> list[Outcome]:
    """Answer the questions of a batch by what the model finds likely.

    Args:
        branches: holds the first `head` tokens of every prompt.
        head: how many.
        batch: questions that fit.
        settings: the mode is `letter` or `text`.

    Raises:
        BadInputError: the model does not compute numbers.
    """
    return [
        _outcome(asked, sums, settings)
        for asked, sums in zip(batch, likelihoods(branches, head, batch), strict=True)
    ]


def likelihoods(
    branches: Branches, head: int, batch: Sequence[Asked]
) -> Iterator[tuple[float, ...]]:
    """Each question's log-likelihoods, one of each ending, in nats."""
    branches.start(sum(asked.lanes for asked in batch))
    logits = branches.run(list(_steps(batch, head)))
    row = 0
    for asked in batch:
        sums, used = _sums(asked, logits[row:])
        row += used
        if not all(map(math.isfinite, sums)):
            raise BadInputError(
                "The model does not compute numbers on the question "
                f"{one_line(asked.question.id, 40)} (NaN or infinite); it is damaged, so make it "
                "again."
            )
        yield sums


def _steps(batch: Sequence[Asked], head: int) -> Iterator[Step]:
    """The tokens of a batch: of each question the rest of its prompt, then all endings."""
    lane = 1
    for asked in batch:
        lanes = range(lane, lane + len(asked.endings))
        last = len(asked.prompt) - 1
        for place in range(head, last + 1):
            yield Step(asked.prompt[place], place, lanes, place == last)
        for own, ending in zip(lanes, asked.endings, strict=True):
            for place, token in enumerate(ending[:-1], last + 1):
                yield Step(token, place, (own,), True)
        lane += len(asked.endings)


def _sums(asked: Asked, logits: NDArray[np.float32]) -> tuple[tuple[float, ...], int]:
    """The endings' log-likelihoods out of the rows that begin with the prompt's last, and how
    many rows are the question's."""
    rows: list[int] = []
    used = 1
    for ending in asked.endings:
        rows += [0, *range(used, used + len(ending) - 1)]
        used += len(ending) - 1
    targets = np.array([token for ending in asked.endings for token in ending])
    losses = negative_log_likelihood(logits[rows], targets)
    ends = np.cumsum([len(ending) for ending in asked.endings])[:-1]
    return tuple(-float(part.sum()) for part in np.split(losses, ends)), used


def _outcome(asked: Asked, sums: tuple[float, ...], settings: Settings) -> Outcome:
    question = asked.question
    by_text = settings.mode == "text"
    lengths = tuple(len(option.encode("utf-8", "replace")) for option in question.options)
    scores = sums
    if by_text and settings.normalised:
        scores = tuple(total / length for total, length in zip(sums, lengths, strict=True))
    return Outcome(
        id=question.id,
        truth=question.answer,
        options=len(question.options),
        choice=scores.index(max(scores)),
        scores=scores,
        tokens=len(asked.prompt),
        fits=True,
        subject=question.subject,
        sums=sums if by_text else (),
        lengths=lengths if by_text else (),
    )
