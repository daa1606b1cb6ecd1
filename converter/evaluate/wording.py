"""Questions in words: the plain form that published harnesses use, and the form for a chat.

Plain, with the mode `letter` (or `write`), with `text`, and with the options yes, no and maybe:

    Question: …        Question: …        References:
    A. …               Answer:            [1] …
    B. …
    Answer:                               Question: … Answer yes, no or maybe.
                                          Answer:

What is scored follows after a space: ` A`, ` the option's text`, ` yes`. Examples stand before,
each with its answer and an empty line. In a chat the same stands in the user's turn without
`Answer:`, and what is scored begins the answer: `A`, the text, `Yes`. There the last column is word
for word the form in which medquad-29m met PubMedQA's training half.
"""

from __future__ import annotations

from collections.abc import Sequence

from converter.evaluate.evaluation import Mode
from converter.evaluate.form import LETTERS
from converter.evaluate.question import Question

LEAD = "Answer:"
"""What the plain form ends in."""
_ASKS_LETTER = "Answer with the letter of the right option."


def plain(question: Question, passages: Sequence[str], mode: Mode, by_label: bool) -> str:
    """A question up to where its answer begins."""
    lines = [f"Question: {_asked(question, by_label)}", *_listed(question, mode, by_label), LEAD]
    return _references(passages) + "\n".join(lines)


def chat(question: Question, passages: Sequence[str], mode: Mode, by_label: bool) -> str:
    """A question as the user's turn."""
    asked = _asked(question, by_label)
    text = f"{_references(passages)}Question: {asked}" if passages else asked
    options = list(_listed(question, mode, by_label))
    return "\n".join([text, "", *options, "", _ASKS_LETTER]) if options else text


def answers(question: Question, mode: Mode, by_label: bool, *, in_chat: bool) -> tuple[str, ...]:
    """What follows the prompt if an option is the answer, for each of them."""
    if by_label:
        words = [
            option[:1].upper() + option[1:] if in_chat else option for option in question.options
        ]
    else:
        words = list(question.options if mode == "text" else LETTERS[: len(question.options)])
    return tuple(words if in_chat else (f" {word}" for word in words))


def _asked(question: Question, by_label: bool) -> str:
    if not by_label:
        return question.text
    *others, last = question.options
    return f"{question.text} Answer {', '.join(others)} or {last}."


def _listed(question: Question, mode: Mode, by_label: bool) -> Sequence[str]:
    if by_label or mode == "text":
        return ()
    return [
        f"{letter}. {option}" for letter, option in zip(LETTERS, question.options, strict=False)
    ]


def _references(passages: Sequence[str]) -> str:
    """Each passage on one line, as Bedside shows them to a model."""
    if not passages:
        return ""
    lines = (f"[{number}] {' '.join(text.split())}" for number, text in enumerate(passages, 1))
    return "References:\n" + "\n".join(lines) + "\n\n"
