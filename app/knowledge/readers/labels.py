"""What is known of a document beside its text."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from app.errors import UsageError
from app.sanitise import one_line

NO_LICENCE = "not stated"


@dataclass(frozen=True, slots=True)
class Labels:
    """What the person said about the document; empty where they left it to the document."""

    title: str = ""
    source: str = ""
    licence: str = ""
    url: str = ""
    date: str = ""

    def checked(self) -> Labels:
        """On one line each. Raises UsageError where the date is none."""
        try:
            if self.date:
                datetime.date.fromisoformat(self.date)
        except ValueError as error:
            raise UsageError(
                f"“{one_line(self.date, 40)}” is no date. Write it like 2026-11-20."
            ) from error
        return Labels(
            title=one_line(self.title),
            source=one_line(self.source),
            licence=one_line(self.licence),
            url=one_line(self.url),
            date=self.date,
        )
