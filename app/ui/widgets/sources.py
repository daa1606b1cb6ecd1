"""What an answer leans on, in the words of the screen. Text of a passage is data, never markup."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from app.assistant.events import Support
from app.assistant.notices import unsupported
from app.conversation.wording import MODELS_WORDS, reference_heading
from app.knowledge.passage import Passage
from app.sanitise import clean, one_line
from app.ui.commands import ShowSources, ShowUnsupported
from app.ui.widgets.markdown import AnswerMarkdown

MODEL_ALONE = "This answer rests on the model alone."
NO_SOURCE = "No source found. This answer rests on the model alone."
_NOT_REVIEWED = "none"


def sources_line(passages: Sequence[Passage], *, clinician: bool) -> str:
    """The numbered sources of an answer, and the key that opens them."""
    if not passages:
        return NO_SOURCE if clinician else MODEL_ALONE
    sources = [one_line(passage.source) for passage in passages]
    names = [
        f"{number} {_name(passage.title, source, following)}"
        for number, (passage, source, following) in enumerate(
            zip(passages, sources, [*sources[1:], ""], strict=True), start=1
        )
    ]
    return f"Sources ({ShowSources.key_names()} opens them): {' · '.join(names)}"


def _name(title: str, source: str, following: str) -> str:
    """The title, and the source where the next passage is not from the same one."""
    return f"{one_line(title)} ({source})" if source and source != following else one_line(title)


def support_line(support: Support) -> str:
    """How many sentences the sources do not hold; empty where they hold them all."""
    said = unsupported(support)
    return said and f"{said} ({ShowUnsupported.key_names()} shows which)."


def review(passage: Passage) -> str:
    """Whether a clinician has read it, in words; empty for what was not written here."""
    if not passage.reviewed_by:
        return ""
    if passage.reviewed_by == _NOT_REVIEWED:
        return "Not reviewed by a clinician."
    return f"Reviewed by {one_line(passage.reviewed_by)}."


def origin(passage: Passage) -> str:
    """Source and date of a passage, and whether it was reviewed, on one line."""
    date = one_line(passage.date) or "date not known"
    named = ", ".join(filter(None, [one_line(passage.source), date]))
    return " ".join(filter(None, [f"{named}.", review(passage)]))


class PassageFirst(Vertical):
    """A passage in the place of an answer; the model's own words stand below it."""

    DEFAULT_CSS = """
    PassageFirst {
        height: auto;
        margin-bottom: 1;
        Static { height: auto; }
        .heading { text-style: bold; }
        .origin, .below { color: $quiet; }
        .below { margin-top: 1; }
    }
    """

    def __init__(self, passage: Passage) -> None:
        super().__init__()
        self._passage = passage

    def compose(self) -> ComposeResult:
        yield Static(reference_heading(self._passage), classes="heading", markup=False)
        yield AnswerMarkdown(clean(self._passage.text))
        yield Static(origin(self._passage), classes="origin", markup=False)
        yield Static(MODELS_WORDS, classes="below", markup=False)
