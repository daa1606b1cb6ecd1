"""The shipped rules: whole, sourced, and good enough over their own table."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from app.assistant.rulebook import SHIPPED, red_flags
from app.errors import BadInputError
from app.safety import Complaint, Level, Rule, card, clinician_line
from app.safety.check import Alert
from app.safety.table import Score, parse, score
from tests.app.safety.rulebooks import rules_alone, shipped

DATA = Path(__file__).parent / "data"
OWN = ("cases.tsv", "cases2.tsv")
"""Written beside the rules: the first before any blind run, the second after two, in batches that
were each run before a rule was changed for them."""
BOOK = shipped().book


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_has_a_card_and_a_source(rule: Rule) -> None:
    shown = card(Alert(rule, frozenset()), "112", "0800 1")
    assert rule.source and rule.say.endswith(".") and 1 <= len(rule.steps) <= 5
    assert all(step.endswith(".") for step in rule.steps)
    assert "{" not in "".join((shown.head, shown.say, *shown.steps))
    assert rule.reviewed == "none", "no clinician has read the rules yet"


def test_the_room_imports_the_standard_library_alone() -> None:
    imported = set()
    for file in SHIPPED.parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
    foreign = {
        name
        for name in imported
        if not name.startswith("app.safety") and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == set()


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in BOOK.rules]
    assert len(ids) == len(set(ids))


def test_every_sign_is_used() -> None:
    conditions = [rule.when for rule in BOOK.rules] + [one.when for one in BOOK.complaints]
    written = " ".join(when for one in conditions for when in one).replace("/", " ")
    assert {sign.name for sign in BOOK.signs} - set(written.split()) == set()


@pytest.mark.parametrize("complaint", BOOK.complaints, ids=lambda one: one.id)
def test_a_yes_to_any_question_raises_an_alert(complaint: Complaint) -> None:
    assert 2 <= len(complaint.questions) <= 4
    for question in complaint.questions:
        assert question.ask.endswith("?")
        alert = shipped().check([question.means])
        assert alert is not None and alert.level >= Level.TODAY, question.means


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("I have a headache", "headache"),
        ("my tummy hurts", "belly"),
        ("I have burning when I pee", "urine"),
        ("I feel so low and hopeless", "low_mood"),
        ("what is a headache?", None),
        ("thank you", None),
    ],
)
def test_questions_follow_a_complaint(text: str, complaint: str | None) -> None:
    asked = shipped().questions_for(text)
    assert (asked and asked.id) == complaint


@pytest.fixture(scope="module", params=OWN)
def own(request: pytest.FixtureRequest) -> Score:
    """An own table, checked by the rules alone."""
    return score(parse((DATA / request.param).read_text(encoding="utf-8")), rules_alone())


def test_over_the_own_tables(own: Score) -> None:
    """The figures that the README states may grow, never sink. Known misses count as misses."""
    assert len(own.results) >= 300
    assert (own.recall("call", "crisis") or 0) >= 0.97
    assert (own.recall("today") or 0) >= 0.97
    assert own.found_in("none", "call") <= len(own.expecting("none")) / 60
    surprises = [
        one.row.text
        for one in own.results
        if (one.missed or one.false_alarm) and not one.row.known_miss
    ]
    assert surprises == []


def test_known_misses_are_still_missed(own: Score) -> None:
    """One that is found now is written down as found."""
    found = [
        one.row.text
        for one in own.results
        if one.row.known_miss and not (one.missed or one.false_alarm)
    ]
    assert found == []


def test_the_card_names_only_numbers_that_were_given() -> None:
    alert = shipped().check(["my chest hurts"])
    assert alert is not None
    assert card(alert, "112", "").head == "Call 112 now."
    assert card(alert, " ", "").head == "Call your local emergency number now."
    assert "\n" not in clinician_line(alert) and alert.rule.source in clinician_line(alert)
    crisis = shipped().check(["I want to kill myself"])
    assert crisis is not None and "0800 1" in card(crisis, "112", "0800 1").head
    foreign = shipped().check(["Ich habe Schmerzen in der Brust"])
    assert foreign is not None and "English only" in card(foreign, "112", "").say
    assert "English only" in clinician_line(foreign)


@pytest.mark.parametrize(
    "change",
    [
        ("[signs.fever]", "[signs.fever2]"),
        ('level = "call"', 'level = "panic"'),
        ("[lists]", "[list]"),
    ],
)
def test_a_rule_file_that_makes_no_sense_is_refused(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert change[0] in text, "the test changes nothing"
    broken = tmp_path / "rules.toml"
    broken.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(BadInputError, match=r"rules\.toml cannot be used"):
        red_flags(broken)


@pytest.mark.parametrize("table", ["blind.tsv", *(f"blind{n}.tsv" for n in range(2, 9))])
def test_over_the_blind_tables(table: str) -> None:
    """A floor, no proof: since their first runs, which HAZARDS.md states, rules were tuned."""
    scored = score(parse((DATA / table).read_text(encoding="utf-8")), rules_alone())
    assert (scored.recall("call", "crisis") or 0) >= 0.97
    assert (scored.recall("today") or 0) >= 0.97
    assert scored.found_in("none", "call") <= 1
