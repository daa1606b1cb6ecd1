"""MedMCQA (Pal et al. 2022), as its authors publish it and in the compact form.

Published is a JSON object a line: `id`, `question`, `opa` to `opd`, `cop` (the right one's number),
`subject_name`, `choice_type`, `topic_name`, `exp`. The first release counts `cop` from 1, the one
on Hugging Face from 0. Which it is follows from the whole file: a 0 or a 4 decides. `choice_type`
says `multi` of questions that combine statements; they have one right option like all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.errors import BadInputError
from converter.evaluate.form import LETTERS, Form, index, lettered
from converter.evaluate.question import Question
from converter.evaluate.rows import Row

_OPTIONS = ("opa", "opb", "opc", "opd")


def _published(rows: Sequence[Row]) -> Iterator[Question]:
    numbers = [_number(row) for row in rows]
    first = _counted_from(rows, numbers)
    for row, number in zip(rows, numbers, strict=True):
        yield Question(
            id=row.text("id"),
            text=row.text("question"),
            options=tuple(row.text(name) for name in _OPTIONS),
            answer=number - first,
            subject=row.optional("subject_name"),
        )


def _number(row: Row) -> int:
    value = row.value("cop")
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:4])
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value <= 4:
        raise row.wrong("has no number of an option in its field `cop`; fetch the file again")
    if value == -1:
        raise row.wrong("keeps its answer secret (`cop` is -1), as the test part does; take dev")
    return value


def _counted_from(rows: Sequence[Row], numbers: Sequence[int]) -> int:
    """What the first option's number is.

    Raises:
        BadInputError: the file holds numbers of both ways of counting, or of neither.
    """
    found = set(numbers)
    if {0, 4} <= found:
        raise rows[numbers.index(4)].wrong(
            f"has a `cop` of 4, while {rows[numbers.index(0)].place} has 0: one counts from 1, the "
            "other from 0; split the file into its two"
        )
    if 0 not in found and 4 not in found:
        raise BadInputError(
            "Whether `cop` counts from 0 or from 1 cannot be told, since it is 1 to 3 in every row "
            f"from {rows[0].place} on; give more of the set, or a description with --describe."
        )
    return 1 if 4 in found else 0


def _compact(rows: Sequence[Row]) -> Iterator[Question]:
    for row in rows:
        options = lettered(row, "options")
        yield Question(
            id=row.text("id"),
            text=row.text("question"),
            options=tuple(options.values()),
            answer=index(row, "answer", LETTERS[: len(options)]),
            subject=row.optional("subject"),
        )


FORMS = (
    Form("MedMCQA as published", "medmcqa", ("id", "question", *_OPTIONS, "cop"), _published),
    Form(
        "MedMCQA in the compact form",
        "medmcqa",
        ("id", "question", "options", "answer", "subject"),
        _compact,
    ),
)
