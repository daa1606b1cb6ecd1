"""Whether held-out text was held out: a model measured on what it was fitted to looks too good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.errors import BadInputError
from app.sanitise import one_line
from converter.texts import Document

_WORDS = 13
"""Words in a run: as many as in GPT-3's search for contamination (Brown et al. 2020, app. C)."""
_MOST = 0.25
"""Share of held-out runs that may stand in the calibration text too. Collections of one kind share
set phrases: of MedQuAD's validation topics 13 % of all runs, while a copy shares all of them."""


def check_held_out(held_out: Sequence[Document], calibration: Sequence[Document]) -> float:
    """See that text to measure on is not text that was fitted to.

    Returns:
        The share of the held-out text's runs of 13 words that stand in the calibration text too.

    Raises:
        BadInputError: a file is the same, or the texts are the same in good part.
    """
    known = {document.source.sha256 for document in calibration}
    for document in held_out:
        if document.source.sha256 in known:
            raise BadInputError(
                f"{one_line(document.source.path)} was calibrated on, so it measures nothing; "
                "name a text that was held out."
            )
    share = shared_runs(held_out, calibration)
    if share > _MOST:
        raise BadInputError(
            f"Of the held-out text's runs of {_WORDS} words {share:.0%} stand in the calibration "
            "text too, so it measures memory; name a text that was held out."
        )
    return share


def shared_runs(held_out: Sequence[Document], calibration: Sequence[Document]) -> float:
    """The share of distinct runs of words, within lines, that both texts have; 0 without any."""
    runs = {run for document in held_out for run in _runs(document)}
    found = {run for document in calibration for run in _runs(document) if run in runs}
    return len(found) / len(runs) if runs else 0.0


def _runs(document: Document) -> Iterator[int]:
    """Each run of words within a line as a hash, with neither case nor spacing."""
    for line in document.text.splitlines():
        words = line.casefold().split()
        for start in range(len(words) - _WORDS + 1):
            yield hash(tuple(words[start : start + _WORDS]))
