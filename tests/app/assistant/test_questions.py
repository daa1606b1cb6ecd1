"""Which yes/no questions stand, over a rulebook small enough to reason about."""

from __future__ import annotations

import pytest

from app.assistant.questions import MOST_STANDING, OpenQuestions
from app.assistant.rulebook import red_flags
from app.assistant.triage import Triage
from app.safety import Question, RedFlags
from app.safety.rules import Complaint, Sign
from tests.app.safety.rulebooks import rule, small

BURNS = "It burns when I pee."
FEVER = Question("Do you have a fever?", "It burns when I pee and I have a fever.")
STIFF = Question("Is your neck stiff, or is there a rash?", "My neck is stiff. There is a rash.")
CHILD = Question("Are you pregnant?", "It burns when I pee and I am pregnant.")
QUESTIONS = (FEVER, STIFF, CHILD)
MORE = tuple(Question(f"Is there pain in place {n}?", f"I have pain {n}.") for n in range(3))


def flags() -> RedFlags:
    """A burning bladder, what makes it worse, and a cough with questions of its own."""
    names = ("burns", "fever", "stiff", "rash", "pregnant", "cough", "pain")
    return small(
        signs=tuple(Sign(name, (name,)) for name in names),
        rules=(
            rule("neck", "stiff", "rash"),
            rule("kidney", "burns + fever"),
            rule("pregnancy", "burns + pregnant"),
            rule("pain", "pain"),
        ),
        complaints=(
            Complaint("bladder", ("burns",), QUESTIONS),
            Complaint("cough", ("cough",), MORE),
        ),
    )


def triage() -> Triage:
    return Triage(flags, "patient")


def say(triage: Triage, *turns: str) -> None:
    """A conversation in which every answer came to its end."""
    for turn in turns:
        triage.hear(turn)
        triage.take_answers(turn)
        triage.ask_about(turn)


def standing(session: Triage) -> list[Question]:
    """What is asked now."""
    return list(session.questions)


def test_what_nobody_has_told_is_asked() -> None:
    session = triage()
    say(session, BURNS)
    assert standing(session) == list(QUESTIONS)


def test_what_was_told_before_is_not_asked() -> None:
    session = triage()
    say(session, "I have a fever", BURNS)
    assert standing(session) == [STIFF, CHILD]


def test_what_is_told_with_the_complaint_is_not_asked() -> None:
    session = triage()
    text = "It burns when I pee and I have a fever."
    session.hear(text)
    asked = session.ask_about(text)
    assert asked is not None and asked.questions == (STIFF, CHILD)


def test_what_is_told_later_leaves() -> None:
    session = triage()
    say(session, BURNS)
    session.hear("Now I have a fever")
    answered = session.take_answers("Now I have a fever")
    assert answered is not None and answered.questions == (FEVER,)
    assert standing(session) == [STIFF, CHILD]
    assert session.take_answers("Now I have a fever") is None


@pytest.mark.parametrize(
    "words",
    [
        "I have no fever",
        "No fever.",
        "I don't have a fever",
        "I dont have any fever",
        "I haven’t got a fever, but I am tired",
        "It came without fever",
        "There is neither fever nor anything else",
    ],
)
def test_what_is_denied_leaves_too(words: str) -> None:
    session = triage()
    say(session, BURNS, words)
    assert standing(session) == [STIFF, CHILD]


@pytest.mark.parametrize(
    "words",
    [
        "I am not sure about a fever",
        "I don't know about fever",
        "I have no idea whether it is a fever",
        "I am not well",
        "What is a stroke?",
    ],
)
def test_what_is_left_open_stands(words: str) -> None:
    session = triage()
    say(session, BURNS, words)
    assert FEVER in standing(session)


def test_half_a_denial_leaves_the_other_half_to_ask() -> None:
    session = triage()
    say(session, BURNS, "My neck is not stiff")
    assert STIFF in standing(session)
    say(session, "and there is no rash")
    assert STIFF not in standing(session)


def test_a_denial_takes_no_alert_back_and_later_words_count() -> None:
    session = triage()
    say(session, BURNS, "I have no fever")
    assert session.alert is None
    assert session.hear("Now I have a fever")
    say(session, "I have no fever any more")
    assert session.alert is not None


def test_a_yes_counts_and_a_no_is_remembered() -> None:
    session = triage()
    say(session, BURNS)
    assert session.confirm(FEVER) is not None
    assert standing(session) == [STIFF, CHILD]
    session.deny(CHILD)
    assert standing(session) == [STIFF]
    assert session.alert is not None


def test_one_no_answers_all_that_ask_the_same() -> None:
    open_questions = OpenQuestions(flags)
    again = Question("Any fever at all?", FEVER.means)
    open_questions.offer((FEVER, again, CHILD), frozenset({"burns"}))
    open_questions.deny(FEVER, frozenset({"burns"}))
    assert open_questions.standing == (CHILD,)


def test_at_most_four_stand_and_the_newest_come_first() -> None:
    session = triage()
    say(session, BURNS, "and I have a cough")
    assert standing(session) == [*MORE, FEVER]
    assert len(standing(session)) == MOST_STANDING


def test_each_complaint_is_asked_about_once() -> None:
    session = triage()
    say(session, BURNS)
    for question in QUESTIONS:
        session.deny(question)
    say(session, BURNS)
    assert standing(session) == []


def test_a_new_conversation_begins_without() -> None:
    session = triage()
    say(session, BURNS, "no fever")
    session.clear()
    assert standing(session) == []
    say(session, BURNS)
    assert standing(session) == list(QUESTIONS)


def test_a_clinician_is_asked_nothing() -> None:
    session = Triage(flags, "clinician")
    say(session, BURNS)
    assert standing(session) == []


def test_every_shipped_question_stands_until_it_is_answered() -> None:
    """With nothing told, none is taken for answered; a yes and a no each take it away."""
    shipped = red_flags()
    for complaint in shipped.book.complaints:
        for question in complaint.questions:
            session = Triage(lambda: shipped, "patient")
            open_questions = OpenQuestions(lambda: shipped)
            assert open_questions.offer((question,), frozenset()) == (question,)
            session.confirm(question)
            told = shipped.signs(question.means)
            assert open_questions.hear(question.means, told) == (question,), question.ask
            open_questions.offer((question,), frozenset())
            open_questions.deny(question, frozenset())
            assert open_questions.standing == ()
