"""Passages that somebody retrieved for each question, out of a file of JSON lines.

A row is `{"id": …, "passages": […]}`; where a set gives its questions no ids, `question` with the
question's text stands in the place of `id`. What retrieved them is the file's own affair, so any
index can be judged by what it does for the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import BadInputError
from app.sanitise import one_line
from converter.evaluate.question import Question
from converter.evaluate.rows import read_file


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages of a file, by question."""

    by_key: Mapping[str, tuple[str, ...]]
    name: str
    """The file's, for sentences."""
    sha256: str

    def of(self, question: Question) -> tuple[str, ...]:
        """What was retrieved for a question; nothing where the file does not know it."""
        return self.by_key.get(question.id, self.by_key.get(question.text, ()))

    def check(self, questions: Iterable[Question]) -> None:
        """See that every question has its row, if only an empty one.

        Raises:
            BadInputError: one has none; asked without passages it would count as asked with.
        """
        for question in questions:
            if question.id not in self.by_key and question.text not in self.by_key:
                raise BadInputError(
                    f"{self.name} has no row for the question {one_line(question.id, 40)} "
                    f"(«{one_line(question.text, 60)}»); add one, with an empty list if nothing "
                    "was found."
                )


def read_passages(path: Path) -> Retrieved:
    """Read a file of passages.

    Raises:
        BadInputError: it is none, or has two rows for a question.
    """
    file = read_file(path)
    by_key: dict[str, tuple[str, ...]] = {}
    if not file.rows:
        raise BadInputError(f"{file.name} is one JSON object; give JSON lines, a question each.")
    for row in file.rows:
        key = row.text("id" if "id" in row.fields else "question")
        if key in by_key:
            raise row.wrong(f"is a second row for {one_line(key, 40)}; take one away")
        by_key[key] = row.texts("passages")
    return Retrieved(by_key, file.name, file.sha256)
