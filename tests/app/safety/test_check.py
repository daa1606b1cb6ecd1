"""The check over turns, on a small rulebook and on the shipped one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.safety import Alert, Level, RedFlags, worse_of
from app.safety.rules import Measure, Sign
from tests.app.safety.rulebooks import rule, shipped, small
from tests.steps import lines_run

FLAGS = small()


def found(*turns: str) -> tuple[Level, str] | None:
    alert = shipped().check(turns)
    return None if alert is None else (alert.level, alert.id)


def test_the_worst_rule_wins() -> None:
    alert = FLAGS.check(["I am diabetic with a fever and my chest hurts"])
    assert alert is not None and (alert.id, alert.level) == ("chest", Level.CALL)
    assert alert.signs == {"chest_pain"}


def test_signs_of_several_turns_count_together() -> None:
    alert = FLAGS.check(["I am diabetic", "thanks", "and there is a fever"])
    assert alert is not None and alert.signs == {"fever", "diabetes"}
    apart = small(rules=(rule("ill", "fever + diabetes", over_turns=False),))
    assert apart.check(["I am diabetic", "and there is a fever"]) is None
    assert apart.check(["I am diabetic and there is a fever"]) is not None


def test_what_eases_a_sign_counts_only_beside_it() -> None:
    flags = small(rules=(rule("chest", "chest_pain - fever"),))
    assert flags.check(["my chest hurts with the fever"]) is None
    assert flags.check(["my chest hurts", "I had a cold with fever"]) is not None


def test_a_number_is_a_sign_within_its_bounds() -> None:
    flags = small(
        signs=(Sign("hot", (), unless=("oven",)),),
        measures=(Measure("hot", "temperature", low=40),),
        rules=(rule("hot", "hot"),),
    )
    assert flags.check(["temperature 40.0"]) is not None
    assert flags.check(["temperature 39.9"]) is None
    assert flags.check(["temperature of the oven 40.5"]) is None


def test_the_worse_alert_is_kept() -> None:
    call, crisis, today = (
        Alert(rule(level.name, level=level), frozenset())
        for level in (Level.CALL, Level.CRISIS, Level.TODAY)
    )
    other = Alert(rule("other"), frozenset())
    assert worse_of(None, today) is today and worse_of(today, None) is today
    assert worse_of(today, crisis) is crisis and worse_of(call, crisis) is call
    assert worse_of(call, other) is call and worse_of(None, None) is None


@pytest.mark.parametrize(
    "book",
    [
        {"rules": (rule("x", "unheard_of"),)},
        {"measures": (Measure("unheard_of", "temperature"),)},
        {"signs": (Sign("x", ("{unheard_of}",)),)},
        {"cues": {"unheard_of": ("a",)}},
    ],
)
def test_a_rulebook_that_names_what_is_not_there_is_refused(book: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="unheard_of"):
        small(**book)


def test_belittling_takes_nothing_back() -> None:
    assert found("My chest hurts", "It is nothing, my family says I am fine")
    assert found("I have a fever", "What can I take?", "my neck is really stiff") == (
        Level.CALL,
        "meningitis",
    )


def test_the_papers_own_conversation() -> None:
    first = (
        "I have to pee often and it burns. Could this be a urinary infection, how urgent is it to "
        "see a doctor, and what should I ask at the appointment?"
    )
    assert found(first) is None
    assert found(first, "Now I also have a fever and back pain") == (Level.TODAY, "urine_today")


@pytest.mark.parametrize(
    "text",
    [
        "Me duele mucho el pecho y no puedo respirar",
        "Ich habe starke Schmerzen in der Brust",
        "у меня болит грудь",
        "胸が痛い、息ができない",
    ],
)
def test_another_language_is_said_to_be_unread(text: str) -> None:
    assert found(text) == (Level.UNREAD, "unread")


@pytest.mark.parametrize("text", ["", "ok", "thanks!", "39.2", "???", "lol", "Paracetamol 500 mg"])
def test_little_text_is_no_other_language(text: str) -> None:
    alert = shipped().check([text])
    assert alert is None or alert.level is not Level.UNREAD


def test_an_emergency_is_found_inside_another_language() -> None:
    assert found("Bonjour, je suis ici avec ma mère: she can't breathe") is not None


@given(st.lists(st.text(max_size=200), max_size=3))
@settings(max_examples=150, deadline=None)
def test_no_text_upsets_it(turns: list[str]) -> None:
    shipped().check(turns)
    shipped().check(turns, "clinician")


WORDS = (
    "no not chest pain can't breathe , . ? fever 40 C my dad in 2010 what is a stroke years ago "
    "blood since but and took 30 pills weeks old pregnant"
)


@given(st.lists(st.sampled_from(WORDS.split()), max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_same_words_give_the_same_alert(words: list[str]) -> None:
    text = " ".join(words)
    assert shipped().check([text]) == shipped().check([text])
    alert = shipped().check([text])
    more = shipped().check([text, "Thank you."])
    assert alert is None or (more is not None and more.level >= alert.level)


@pytest.mark.parametrize("unit", ["no chest pain ", "I have a fever. ", " 7 -\n", "pain arm weak "])
def test_the_time_grows_with_the_length_and_not_faster(unit: str) -> None:
    def lines(length: int) -> int:
        text = (unit * length)[:length]
        return lines_run(lambda: shipped().check([text]))

    lines(1_000)  # what is worked out once
    assert lines(16_000) < 4 * 1.3 * lines(4_000)


def test_a_session_is_judged_from_what_was_read_once() -> None:
    turns = ["I have a fever", "What can I take?", "my neck is really stiff"]
    findings = [shipped().read(turn) for turn in turns]
    assert shipped().judge(findings) == shipped().check(turns)
    assert shipped().judge([]) is None


def raised(*turns: str, flags: RedFlags = FLAGS) -> str | None:
    """Id of what the last of these turns raises."""
    alerts = flags.raised([flags.read(turn) for turn in turns])
    return alerts[0].id if alerts else None


def test_a_turn_raises_what_is_new_or_what_it_says_again() -> None:
    chest, stroke, ill = "My chest hurts", "Dad is having a stroke", "I am diabetic with a fever"
    for one, other, name in ((chest, stroke, "stroke"), (stroke, chest, "chest")):
        assert raised(one, other) == name
        assert raised(one, other, "Thank you") is None
        assert raised(one, other, "Thank you", other) == name
    assert raised(chest, f"{chest}. {stroke}") == "stroke", "of two as bad the new one"
    assert raised(chest, ill) == "ill"
    assert raised(ill, "Thank you", chest) == "chest"
    assert raised(ill, f"{chest}. {ill}") == "chest"
    assert raised() is None


def test_what_was_raised_hides_no_combination_below_it() -> None:
    assert raised("My chest hurts", "I am diabetic", "and there is a fever") == "ill"
    assert raised("I am diabetic", "and there is a fever", "it is a fever") is None


def test_what_one_turn_raised_beside_a_worse_one_does_not_follow_later() -> None:
    assert raised("My chest hurts and I am diabetic with a fever", "Thank you") is None


def test_an_emergency_hides_no_crisis_in_the_same_turn() -> None:
    flags = shipped()
    for turns, levels in (
        (["I took 30 paracetamol because I want to die"], [Level.CALL, Level.CRISIS]),
        (["My chest hurts badly", "It still hurts and I want to die"], [Level.CRISIS]),
        (["I want to die", "I want to die and can not breathe"], [Level.CALL, Level.CRISIS]),
        (["I can not breathe, and my eye is sore"], [Level.CALL]),
    ):
        alerts = flags.raised([flags.read(turn) for turn in turns])
        assert [one.level for one in alerts] == levels


def test_another_language_is_said_although_an_alert_stands() -> None:
    german = "Ich habe starke Schmerzen in der Brust"
    assert raised("I have crushing chest pain", german, flags=shipped()) == "unread"


@given(st.lists(st.lists(st.sampled_from(WORDS.split()), max_size=20), max_size=4))
@settings(max_examples=100, deadline=None)
def test_thanks_raise_nothing_whatever_was_said_before(turns: list[list[str]]) -> None:
    said = [" ".join(words) for words in turns]
    assert raised(*said, "Thank you.", flags=shipped()) is None
    alert = shipped().check(said)
    met = [raised(*said[: number + 1], flags=shipped()) for number in range(len(said))]
    assert alert is None or alert.id in met, "the worst was raised by one of the turns"


def test_an_alert_holds_no_word_of_the_person() -> None:
    finding = shipped().read("Marguerite's xylophone: my chest hurts")
    alert = shipped().judge([finding])
    assert alert is not None
    for kept in (repr(finding).lower(), repr(alert).lower()):
        assert "xylophone" not in kept and "marguerite" not in kept
