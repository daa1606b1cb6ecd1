"""Multiple-choice questions as values: what every set of them is read into."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its options."""

    id: str
    """Unique in its set: the publisher's, or one made from the question's own text."""
    text: str
    options: tuple[str, ...]
    answer: int
    """Index of the true option."""
    subject: str = ""
    """What the publisher files it under; empty where the set has no subjects."""
    passages: tuple[str, ...] = ()
    """What is published to be read with it, as PubMedQA's abstracts are."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one file, in its order."""

    task: str
    """The set's name: medqa, medmcqa, pubmedqa, or what its description says."""
    labels: tuple[str, ...]
    """What the options are called in tables: A to D, or yes, no and maybe. A question may have
    fewer options than there are labels, and no more."""
    questions: tuple[Question, ...]
    sha256: str
    """Of the file or files."""
    by_label: bool = False
    """Whether the options are the labels themselves in every question, so that there is no letter
    to choose, as in PubMedQA."""
