"""What is known of a document beside its text."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from app.errors import UsageError
from app.sanitise import one_line

NO_LICENCE = "not stated"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
        if self.date and not is_date(self.date):
            raise UsageError(f"“{one_line(self.date, 40)}” is no date. Write it like 2026-11-20.")
        return Labels(
            title=one_line(self.title),
            source=one_line(self.source),
            licence=one_line(self.licence),
            url=one_line(self.url),
            date=self.date,
        )


def is_date(text: str) -> bool:
    """Whether it is a day as ISO 8601 writes it with dashes, the one form that screens show.

    Python 3.11 and later also read weeks ("2026-W47-5") and days without dashes.
    """
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
