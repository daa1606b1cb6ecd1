"""An alert in words: the card that a patient sees, the one line that a clinician sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.safety.rules import Level

if TYPE_CHECKING:
    from app.safety.check import Alert

_NUMBER_UNKNOWN = "your local emergency number"
_LINE_UNKNOWN = "a crisis line or a doctor near you"
_HEADS = {
    Level.CALL: "Call {number} now.",
    Level.CRISIS: "You do not have to be alone with this. Call {line}. In danger, call {number}.",
    Level.TODAY: "See a doctor or call an out-of-hours service today.",
    Level.UNREAD: "If this may be an emergency, call {number}.",
}
_MARKS = {Level.CALL: "CALL NOW", Level.CRISIS: "CRISIS", Level.TODAY: "SEE TODAY"}


@dataclass(frozen=True, slots=True)
class Card:
    """What the screen shows before, or in place of, an answer."""

    level: Level
    title: str
    head: str
    """What to do, with the number."""
    say: str
    """Why."""
    steps: tuple[str, ...]
    """What to do until help comes."""
    source: str
    folded: str
    """The one line that stays once the card was acknowledged."""


def card(alert: Alert, emergency_number: str, crisis_line: str) -> Card:
    """The card of an alert. Both numbers are the configuration's, and never guessed."""
    number = emergency_number.strip() or _NUMBER_UNKNOWN
    line = crisis_line.strip() or _LINE_UNKNOWN
    rule = alert.rule
    head = _HEADS[rule.level].format(number=number, line=line)
    steps = tuple(step.format(number=number, line=line) for step in rule.steps)
    say = rule.say.format(number=number, line=line)
    return Card(rule.level, rule.title, head, say, steps, rule.source, f"{rule.title}: {head}")


def clinician_line(alert: Alert) -> str:
    """Name and source of a flag, on one line; a ward types cases all day."""
    if alert.level is Level.UNREAD:
        return "Not checked: the red-flag rules read English only."
    return f"{_MARKS[alert.level]} · {alert.rule.title} · {alert.rule.source}"
