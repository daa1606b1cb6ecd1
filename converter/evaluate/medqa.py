"""MedQA (Jin et al. 2020), as its authors publish it and in the compact form.

Published is a JSON object a line: `question`, `options` by letter, `answer` in words and
`answer_idx`, the letter; five options or four. The compact form keeps the letter as `answer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from converter.evaluate.form import Form, index, lettered, own_id
from converter.evaluate.question import Question
from converter.evaluate.rows import Row


def _published(rows: Sequence[Row]) -> Iterator[Question]:
    for row in rows:
        question = _question(row, "answer_idx")
        if row.text("answer") != question.options[question.answer]:
            raise row.wrong("has another answer in `answer` than in `answer_idx`; mend it")
        yield question


def _compact(rows: Sequence[Row]) -> Iterator[Question]:
    for row in rows:
        yield _question(row, "answer")


def _question(row: Row, answer: str) -> Question:
    text, options = row.text("question"), lettered(row, "options")
    return Question(
        id=own_id(text, *options.values()),
        text=text,
        options=tuple(options.values()),
        answer=index(row, answer, tuple(options)),
    )


FORMS = (
    Form(
        "MedQA as published", "medqa", ("question", "options", "answer", "answer_idx"), _published
    ),
    Form("MedQA in the compact form", "medqa", ("question", "options", "answer"), _compact),
)
