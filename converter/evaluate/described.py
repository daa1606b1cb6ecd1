"""Any other set of multiple-choice questions, by a small description in TOML.

    task = "anatomy"          # a name of your own: small letters, digits and hyphens
    question = "input"        # the field of a JSON line that holds the question
    options = "choices"       # a list, or an object by letter; or a list of fields, one an option
    answer = "target"
    answer_is = "letter"      # or "number", or "text": the right option's own words
    first = 0                 # with "number": the first option's number
    id = "id"                 # this and the next two may be left out
    subject = "topic"
    passages = "contexts"     # a list of what is published to be read with the question

A set whose options are the same words in every question has `labels = ["yes", "no"]` in the place
of `options`, and its answer is one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import BadInputError
from app.sanitise import one_line
from app.toml_file import read_toml
from converter.evaluate.form import LETTERS, Form, index, lettered, own_id
from converter.evaluate.question import Question
from converter.evaluate.rows import Row

AnswerIs = Literal["letter", "number", "text"]
_WORDS = ("task", "question", "answer", "id", "subject", "passages")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""It becomes a part of file names."""
_KEYS = (*_WORDS, "options", "answer_is", "first", "labels")


@dataclass(frozen=True, slots=True)
class Description:
    """Which field of a row holds what; empty for what the set does not have."""

    task: str
    question: str
    answer: str
    options: tuple[str, ...] = ()
    """One field with all options, or a field for each."""
    answer_is: AnswerIs = "letter"
    first: int = 0
    id: str = ""
    subject: str = ""
    passages: str = ""
    labels: tuple[str, ...] = ()

    def form(self) -> Form:
        """The form that reads such rows."""
        named = (self.question, self.answer, *self.options, self.id, self.subject, self.passages)
        needs = tuple(name for name in named if name)
        return Form(f"the described set {self.task}", self.task, needs, self._read, self.labels)

    def _read(self, rows: Sequence[Row]) -> Iterator[Question]:
        for row in rows:
            text, options = row.text(self.question), self._options(row)
            passages = row.texts(self.passages) if self.passages else ()
            yield Question(
                id=self._id(row) if self.id else own_id(text, *options, *passages),
                text=text,
                options=options,
                answer=self._answer(row, options),
                subject=row.optional(self.subject) if self.subject else "",
                passages=passages,
            )

    def _options(self, row: Row) -> tuple[str, ...]:
        if self.labels:
            return self.labels
        if len(self.options) == 1:
            return tuple(lettered(row, self.options[0]).values())
        return tuple(row.text(name) for name in self.options)

    def _id(self, row: Row) -> str:
        value = row.value(self.id)
        return str(value) if type(value) is int else row.text(self.id)

    def _answer(self, row: Row, options: tuple[str, ...]) -> int:
        if self.labels:
            return index(row, self.answer, self.labels)
        if self.answer_is == "letter":
            return index(row, self.answer, LETTERS[: len(options)])
        if self.answer_is == "text":
            found = index(row, self.answer, options)
            if options.count(options[found]) > 1:
                raise row.wrong(
                    f"has its answer `{one_line(options[found], 40)}` among its options twice, so "
                    "which is right cannot be told; mend it or leave it out"
                )
            return found
        value = row.value(self.answer)
        if type(value) is not int or not 0 <= value - self.first < len(options):
            raise row.wrong(
                f"says that the answer is number {one_line(str(value), 20)}, which none of its "
                f"{len(options)} options has when they are counted from {self.first}"
            )
        return value - self.first


def read_description(path: Path) -> Description:
    """Read a description.

    Raises:
        BadInputError: it is no TOML, a key is unknown, missing or not of its type.
    """
    table = read_toml(path)
    name = one_line(path.name, 80)
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise BadInputError(
            f"{name} has the key {one_line(unknown[0], 40)}, which a description does not have; "
            f"there are {', '.join(_KEYS)}."
        )
    words = {key: _words(table, key, name) for key in _WORDS if key in table}
    missing = sorted({"task", "question", "answer"} - set(words))
    if missing:
        raise BadInputError(f"{name} does not say `{missing[0]}`; a description must.")
    if not _NAME.fullmatch(words["task"]):
        raise BadInputError(f"{name} must name its `task` in small letters, digits and hyphens.")
    options, labels = _list(table, "options", name), _list(table, "labels", name)
    if bool(options) == bool(labels) or len(labels) == 1:
        raise BadInputError(f"{name} must have either `options` or two or more `labels`.")
    return Description(
        **words,
        options=options,
        labels=labels,
        answer_is=_answer_is(table, name),
        first=_first(table, name),
    )


def _words(table: Mapping[str, object], key: str, name: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip() or value != one_line(value, 80):
        raise BadInputError(f"{name} must have a short text for `{key}`.")
    return value


def _list(table: Mapping[str, object], key: str, name: str) -> tuple[str, ...]:
    value = table.get(key, [])
    listed = [value] if isinstance(value, str) and value else value
    if (
        not isinstance(listed, list)
        or not all(isinstance(item, str) and item.strip() for item in listed)
        or len(set(listed)) != len(listed)
        or len(listed) > len(LETTERS)
    ):
        raise BadInputError(
            f"{name} must have different texts for `{key}`, {len(LETTERS)} at most."
        )
    return tuple(listed)


def _answer_is(table: Mapping[str, object], name: str) -> AnswerIs:
    value = table.get("answer_is", "letter")
    if value not in ("letter", "number", "text"):
        raise BadInputError(f"{name} must say letter, number or text for `answer_is`.")
    return value


def _first(table: Mapping[str, object], name: str) -> int:
    value = table.get("first", 0)
    if type(value) is not int or not 0 <= value <= 1:
        raise BadInputError(f"{name} must say 0 or 1 for `first`.")
    return value
