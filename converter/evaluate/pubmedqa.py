"""PubMedQA's labelled questions (Jin et al. 2019), as published and in the compact form.

Published is one JSON object from PubMed ids to entries (`ori_pqal.json`: QUESTION, CONTEXTS,
final_decision) and another from ids to answers (`test_ground_truth.json`), whose ids are the test
questions. The compact form is a JSON object a line: `id`, `question`, `contexts`, `answer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line
from converter.evaluate.form import Form, index
from converter.evaluate.question import Question
from converter.evaluate.rows import Row, SetFile

LABELS = ("yes", "no", "maybe")


def is_truth(file: SetFile) -> bool:
    """Whether it is the file of answers alone."""
    held = file.whole or {}
    return bool(held) and all(value in LABELS for value in held.values())


def entries(file: SetFile, truth: SetFile | None = None) -> list[Row]:
    """The rows of the published file: all of them, or those whose answers `truth` holds.

    Raises:
        BadInputError: it is no such file, lacks a question of `truth`, or says otherwise.
    """
    questions = file.whole or {}
    if is_truth(file):
        raise BadInputError(
            f"{file.name} holds the answers of PubMedQA alone; give ori_pqal.json beside it."
        )
    answers = questions if truth is None else truth.whole or {}
    missing = set(answers) - set(questions)
    if missing:
        raise BadInputError(
            f"{file.name} lacks {len(missing)} of the test questions (PubMed id "
            f"{one_line(min(missing), 20)} is one); fetch ori_pqal.json again."
        )
    rows = [_row(file, key, questions[key]) for key in questions if key in answers]
    for row in rows:
        if truth is not None and row.value("final_decision") != answers[row.fields["id"]]:
            raise row.wrong(f"has another answer than {truth.name}; fetch both again")
    return rows


def _row(file: SetFile, key: str, entry: Any) -> Row:
    place = f"entry {one_line(key, 40)} of {file.name}"
    if not isinstance(entry, dict):
        raise BadInputError(f"The {place} is no question; fetch the file again.")
    return Row({**entry, "id": key}, place)


def _published(rows: Sequence[Row]) -> Iterator[Question]:
    return (_question(row, "QUESTION", "CONTEXTS", "final_decision") for row in rows)


def _compact(rows: Sequence[Row]) -> Iterator[Question]:
    return (_question(row, "question", "contexts", "answer") for row in rows)


def _question(row: Row, question: str, passages: str, answer: str) -> Question:
    return Question(
        id=row.text("id"),
        text=row.text(question),
        options=LABELS,
        answer=index(row, answer, LABELS),
        passages=row.texts(passages),
    )


PUBLISHED = Form(
    "PubMedQA as published",
    "pubmedqa",
    ("id", "QUESTION", "CONTEXTS", "final_decision"),
    _published,
    LABELS,
)
FORMS = (
    PUBLISHED,
    Form(
        "PubMedQA in the compact form",
        "pubmedqa",
        ("id", "question", "contexts", "answer"),
        _compact,
        LABELS,
    ),
)
