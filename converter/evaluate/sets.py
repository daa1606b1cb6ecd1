"""Sets of questions out of files: whose form a file is in follows from what stands in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.errors import BadInputError, UsageError
from app.sanitise import one_line
from converter.evaluate import medmcqa, medqa, pubmedqa
from converter.evaluate.form import LETTERS, Form
from converter.evaluate.question import Question, QuestionSet
from converter.evaluate.rows import Row, SetFile, read_file

_FORMS = (*pubmedqa.FORMS, *medmcqa.FORMS, *medqa.FORMS)
"""Where a row has the fields of several, the first is meant: they go from more fields to fewer."""
TASKS = tuple(dict.fromkeys(form.task for form in _FORMS))
"""The sets that need no description."""


def read_sets(
    paths: Sequence[Path], described: Sequence[Form] = (), *, repeats: bool = False
) -> list[QuestionSet]:
    """The sets of all files, in the files' order; PubMedQA's answers belong to its questions.

    Args:
        paths: a file a set; PubMedQA as published may have its answers in one more.
        described: forms that were described for other sets; they come before the known ones.
        repeats: whether a question may be there twice, as in published training parts. One that
            is asked would count twice.

    Raises:
        BadInputError: a file is none, holds two sets, a question twice, or a wrong row.
        UsageError: two files hold the same set.
    """
    files = [read_file(path) for path in paths]
    truths = [file for file in files if pubmedqa.is_truth(file)]
    others = [file for file in files if not pubmedqa.is_truth(file)]
    if len(truths) > 1 or (truths and not any(file.whole for file in others)):
        pubmedqa.entries(truths[-1])
    sets = [_read(file, truths[0] if truths else None, described, repeats) for file in others]
    for number, found in enumerate(sets):
        if found.task in {other.task for other in sets[:number]}:
            raise UsageError(
                f"{others[number].name} and another file both hold {found.task}; evaluate them in "
                "two runs."
            )
    return sets


def _read(
    file: SetFile, truth: SetFile | None, described: Sequence[Form], repeats: bool
) -> QuestionSet:
    if file.whole is not None:
        form, rows = pubmedqa.PUBLISHED, pubmedqa.entries(file, truth)
        hashes = [file.sha256, *([truth.sha256] if truth else [])]
    else:
        form, rows = _form_of(file, described), list(file.rows)
        hashes = [file.sha256]
    if not rows:
        raise BadInputError(f"{file.name} is empty; name a file with questions.")
    questions = tuple(form.read(rows))
    if not repeats:
        _check_different(questions, rows)
    most = max(len(question.options) for question in questions)
    return QuestionSet(
        task=form.task,
        labels=form.labels or LETTERS[:most],
        questions=questions,
        sha256=hashes[0] if len(hashes) == 1 else _together(hashes),
        by_label=bool(form.labels),
    )


def _together(hashes: Iterable[str]) -> str:
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def _form_of(file: SetFile, described: Sequence[Form]) -> Form:
    """The one form that every row is in.

    Raises:
        BadInputError: the rows are in no form, lack a field, or are in two forms.
    """
    forms = (*described, *_FORMS)
    form = _recognised(file.rows[0], forms) or _nearest(file.rows[0], forms)
    for row in file.rows:
        missing = [name for name in form.needs if name not in row.fields]
        other = _recognised(row, forms)
        if missing and other is not None and not set(other.needs) < set(form.needs):
            raise row.wrong(
                f"is {other.name}, but {file.rows[0].place} is {form.name}; split the file"
            )
        if missing:
            raise row.wrong(f"has no field `{missing[0]}`, which {form.name} has; mend the file")
        if other is not form:
            raise row.wrong(f"is not {form.name}, as {file.rows[0].place} is; split the file")
    return form


def _recognised(row: Row, forms: Iterable[Form]) -> Form | None:
    return next((form for form in forms if set(form.needs) <= set(row.fields)), None)


def _nearest(row: Row, forms: Iterable[Form]) -> Form:
    """The form that a row lacks least of. Raises BadInputError where it is like none."""
    form = max(forms, key=lambda form: len(set(form.needs) & set(row.fields)) / len(form.needs))
    if 2 * len(set(form.needs) & set(row.fields)) <= len(form.needs):
        fields = one_line(", ".join(map(str, row.fields)), 100) or "none"
        raise row.wrong(
            f"has the fields {fields}, so it is no set that Bedside knows ({', '.join(TASKS)}); "
            "describe it in TOML and name that file with --describe"
        )
    return form


def _check_different(questions: Sequence[Question], rows: Sequence[Row]) -> None:
    """Refuse a question that is there twice: it would count twice."""
    ids: dict[str, Row] = {}
    contents: dict[tuple[object, ...], Row] = {}
    for question, row in zip(questions, rows, strict=True):
        content = (question.text, question.options, question.passages)
        name = one_line(question.id, 40)
        if (other := contents.setdefault(content, row)) is not row:
            raise row.wrong(f"asks the same as {other.place} (id {name}); take one away")
        if (other := ids.setdefault(question.id, row)) is not row:
            raise row.wrong(
                f"has the id {name} of {other.place}, which asks something else; mend the file"
            )
