"""Letting a model write its answer, always the likeliest token, several questions side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from app.sanitise import clean, one_line
from converter.branches import Branches, Step
from converter.evaluate.extraction import extract
from converter.evaluate.outcome import Outcome
from converter.evaluate.prompts import Asked
from converter.opened import OpenedModel


def write(
    model: OpenedModel, branches: Branches, head: int, batch: Sequence[Asked]
) -> list[Outcome]:
    """Answer the questions of a batch by what the model writes.

    Args:
        model: knows the tokens' texts.
        branches: holds the first `head` tokens of every prompt.
        head: how many.
        batch: questions that fit with what may be written.

    Raises:
        BadInputError: the model does not compute numbers.
    """
    outcomes = []
    for asked, tokens in zip(batch, generate(model, branches, head, batch), strict=True):
        raw = b"".join(model.piece(token) for token in tokens)
        written = clean(raw.decode("utf-8", "replace")).strip()
        question = asked.question
        outcomes.append(
            Outcome(
                id=question.id,
                truth=question.answer,
                options=len(question.options),
                choice=extract(written, question, asked.by_label),
                scores=(),
                tokens=len(asked.prompt),
                fits=True,
                subject=question.subject,
                written=written,
            )
        )
    return outcomes


def generate(
    model: OpenedModel, branches: Branches, head: int, batch: Sequence[Asked]
) -> list[list[int]]:
    """What the model writes to each prompt, without the token that ends it."""
    branches.start(len(batch))
    written: list[list[int]] = [[] for _ in batch]
    logits = branches.run(
        [
            Step(token, place, (lane,), place == len(asked.prompt) - 1)
            for lane, asked in enumerate(batch, 1)
            for place, token in enumerate(asked.prompt[head:], head)
        ]
    )
    open_ones = list(range(len(batch)))
    while True:
        likeliest = _likeliest(logits, [batch[number] for number in open_ones])
        going = []
        for number, token in zip(open_ones, likeliest, strict=True):
            if not model.ends(token):
                written[number].append(token)
                if len(written[number]) < batch[number].room:
                    going.append(number)
        if not going:
            return written
        open_ones = going
        logits = branches.run(
            [
                Step(
                    written[number][-1],
                    len(batch[number].prompt) + len(written[number]) - 1,
                    (number + 1,),
                    True,
                )
                for number in going
            ]
        )


def _likeliest(logits: NDArray[np.float32], asked: Sequence[Asked]) -> list[int]:
    for row, one in zip(logits, asked, strict=True):
        if not np.isfinite(row).all():
            raise BadInputError(
                f"The model does not compute numbers on the question "
                f"{one_line(one.question.id, 40)} (NaN or infinite); it is damaged, so make it "
                "again."
            )
    return [int(token) for token in logits.argmax(axis=1)]
