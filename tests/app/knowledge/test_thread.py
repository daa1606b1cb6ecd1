"""A question in the light of those before it, over the cards that ship.

The pairs are written by hand: what a follow-up must find is not in its own words, and what a new
topic must find is. More of them, with those that are known to go wrong, stand in `threads.py`.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.knowledge.concepts import Concept
from app.knowledge.naming import Naming
from app.knowledge.reference import Reference
from app.knowledge.thread import (
    ALONE,
    MOST_EARLIER,
    WHOLLY,
    Leaning,
    Said,
    borrowed,
    leaning,
    stance,
    thread_of,
)
from tests.app.knowledge.threads import FILES, Threaded, read
from tests.steps import lines_run

BLADDER = "I have to go often and it burns when I pee, could it be a urinary infection?"
ASTHMA = "My asthma is bad at night, what can I do?"

FOLLOW_UPS = [
    ("I have pink eye.", "is it contagious?", "Pink eye"),
    ("What is chickenpox?", "what about children?", "Chickenpox"),
    ("I have shingles.", "how long does it last?", "Shingles"),
    (BLADDER, "now I have a fever and back pain", "Urinary infection"),
    (BLADDER, "I have a fever and my back hurts", "Urinary infection"),
    (BLADDER, "and can I swim?", "Urinary infection"),
    ("What is gout?", "Which foods should I avoid?", "Gout"),
    ("What is psoriasis?", "And how is it treated?", "Psoriasis"),
    ("I have a sinus infection", "Do I need antibiotics for it?", "Sinusitis"),
    ("I was diagnosed with type 2 diabetes", "What can I eat?", "Diabetes, type 2"),
    ("What is an ear infection?", "My son has it. When should he see a doctor?", "Ear infection"),
    ("I have a migraine", "Can I still go to work?", "Migraine"),
    ("My wife has pink eye", "Can my husband catch it?", "Pink eye"),
    ("I get heartburn after meals", "what are the side effects of the tablets?", "Heartburn"),
    ("what is pneumonia", "is there a test?", "Pneumonia"),
    ("I have hay fever", "Is it dangerous in pregnancy?", "Hay fever"),
    ("I sprained my ankle yesterday", "when can I walk on it again?", "Sprains"),
    ("My mother has dementia", "how can I help her at home?", "Dementia"),
    ("I keep having nosebleeds", "what causes them?", "Nosebleed"),
    ("I had a tick bite last week", "there is now a red ring around it", "Tick bites"),
    ("I have astma", "how is it treated?", "Asthma"),
    ("I have asthma", "is it contagious?", "Asthma"),
    (ASTHMA, "is it contagious?", "Asthma"),
    ("I think I have the flu", "how long am I infectious?", "Flu"),
    ("What is eczema?", "does it run in families?", "Eczema"),
]
NEW_TOPICS = [
    (ASTHMA, "and what is gout?", "Gout"),
    (BLADDER, "What is gout and how is it treated?", "Gout"),
    (ASTHMA, "what about glaucoma?", "Glaucoma"),
    (ASTHMA, "What helps against a toothache?", "Toothache"),
    (ASTHMA, "What are the signs of a stroke?", "Stroke"),
    (ASTHMA, "I cut my finger with a knife and it bleeds", "Cuts"),
    (ASTHMA, "I have acne", "Acne"),
    (BLADDER, "I can't sleep", "Insomnia"),
    (BLADDER, "My son has a rash on his leg", "Chickenpox"),
    ("What is gout?", "My daughter has an itchy scalp, is it lice?", "Itching"),
    ("I have shingles", "I was bitten by a dog", "Animal bites"),
    ("I have a cold", "What are the warning signs in pregnancy?", "Warning signs in pregnancy"),
    (ASTHMA, "will I get a stroke?", "Stroke"),
    (ASTHMA, "can I ice my knee?", "Sprains"),
]
OFF_TOPIC = [
    "What is the weather tomorrow?",
    "How do I knit a scarf?",
    "Where can I buy cheap furniture?",
    "who won the football match?",
    "thank you",
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("reference"))


def first(reference: Reference, *turns: str) -> str:
    """The title that the last question finds first, after those before it."""
    *earlier, question = turns
    return reference.search(question, earlier=earlier)[0].title


@pytest.mark.parametrize(("before", "question", "topic"), FOLLOW_UPS)
def test_a_follow_up_is_searched_in_the_light_of_what_was_said(
    reference: Reference, before: str, question: str, topic: str
) -> None:
    assert first(reference, before, question).startswith(topic)
    alone = reference.search(question)
    assert not alone or not alone[0].title.startswith(topic), "it did not need the context"


@pytest.mark.parametrize(("before", "question", "topic"), NEW_TOPICS)
def test_a_new_topic_is_not_dragged_to_the_old_one(
    reference: Reference, before: str, question: str, topic: str
) -> None:
    assert first(reference, before, question).startswith(topic)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(
            one,
            id=f"{one.before[-1]}-{one.question}",
            marks=[pytest.mark.xfail(strict=True, reason=one.weak)] if one.weak else [],
        )
        for file in FILES
        for one in read(file)
    ],
)
def test_a_pair_finds_its_topic_first(reference: Reference, pair: Threaded) -> None:
    assert pair.is_answered_by(reference.search(pair.question, earlier=pair.before))


@pytest.mark.parametrize("question", OFF_TOPIC)
def test_what_is_no_question_of_medicine_finds_nothing_in_a_thread_either(
    reference: Reference, question: str
) -> None:
    assert reference.search(question, earlier=[BLADDER]) == []


def test_a_thread_goes_back_to_where_its_topic_began(reference: Reference) -> None:
    assert first(reference, ASTHMA, "and what is gout?", "how is it treated?").startswith("Gout")
    assert first(reference, "What is gout?", "thank you", "is it hereditary?").startswith("Gout")
    children = ("I have shingles.", "is it contagious?", "how long does it last?")
    assert first(reference, *children, "what about children?").startswith("Shingles")


def test_turns_that_say_the_topic_again_are_one_thread(reference: Reference) -> None:
    """The third says "urinary infection" once more and does not begin anew."""
    turns = (
        BLADDER,
        "How urgent is it to see a doctor about this?",
        "What should I ask the doctor at my appointment about a urinary infection?",
        "Since this morning I also have a fever and my back hurts on one side.",
    )
    assert first(reference, *turns).startswith("Urinary infection")


def test_without_earlier_questions_nothing_changes(reference: Reference) -> None:
    for _, question, _ in FOLLOW_UPS:
        assert reference.search(question, earlier=[]) == reference.search(question)


def test_a_long_conversation_costs_as_much_as_it_is_long(reference: Reference) -> None:
    def lines(sentences: int) -> int:
        letter = f"{BLADDER} {'My knee and my head hurt. ' * sentences}"
        return lines_run(lambda: reference.search("is it so?", earlier=[letter] * MOST_EARLIER))

    lines(1)  # what is worked out once
    assert lines(400) < 4 * 1.3 * lines(100)


def said(
    text: str, *anchored: str, plain: tuple[str, ...] = (), naming: Naming = Naming.NOTHING
) -> Said:
    """A question whose concepts are these terms."""
    rare = [Concept((((one,), 1.0),), 3.0, anchored=True) for one in anchored]
    return Said(text, (*rare, *(Concept((((one,), 1.0),), 3.0) for one in plain)), naming)


GOUT = said("what is gout?", "gout", naming=Naming.ENTRY)
KNEE = said("now my knee is swollen", "knee", naming=Naming.PART)
BAD = said("is it bad?")


def always(_question: Said, _thread: tuple[Said, ...]) -> bool:
    return True


def never(_question: Said, _thread: tuple[Said, ...]) -> bool:
    return False


def lent(question: Said, *thread: Said) -> dict[str, float]:
    """What the question borrows of a thread, the latest first, with its weight."""
    found = borrowed(question, thread, stance(question, thread, always))
    return {one.variants[0][0][0]: one.weight for one in found}


def test_what_stands_further_back_counts_less() -> None:
    weights = lent(BAD, KNEE, GOUT)
    assert weights["knee"] > weights["gout"] > 0


def test_a_concept_of_its_own_is_not_borrowed_again() -> None:
    assert lent(said("is my gout worse now?", "gout"), GOUT) == {}


def test_a_short_question_lends_all_its_words_and_a_letter_those_of_medicine() -> None:
    stung = said("I was stung", plain=("stung",))
    assert set(lent(BAD, stung)) == {"stung"}
    letter = said("", "gout", "toe", "pain", "red", "swell", plain=("uncl", "holidai"))
    assert set(lent(BAD, letter)) == {"gout", "toe", "pain", "red", "swell"}


def test_a_thread_holds_what_goes_on_and_starts_anew_where_nothing_speaks_of_it() -> None:
    assert thread_of([KNEE, GOUT], always) == (KNEE, GOUT)
    assert thread_of([KNEE, GOUT], never) == (KNEE,)


def test_what_only_asks_of_the_topic_is_no_part_of_the_thread() -> None:
    assert thread_of([BAD, said("thank you"), GOUT, KNEE], always) == (GOUT,)


def test_nothing_is_looked_at_beyond_the_question_that_began_anew() -> None:
    earlier = iter([BAD, GOUT, KNEE])
    assert thread_of(earlier, always) == (GOUT,)
    assert list(earlier) == [KNEE]


def test_a_topic_outlasts_many_questions_that_name_none(reference: Reference) -> None:
    asked = ["What is gout?", *["is it dangerous?", "how long does it last?"] * 5]
    assert first(reference, *asked, "is it contagious?").startswith("Gout")


@pytest.mark.parametrize(
    ("text", "naming", "expected"),
    [
        ("how long does it last?", Naming.NOTHING, WHOLLY),
        ("can I have a dog?", Naming.PART, WHOLLY),
        ("and would a massage help?", Naming.PART, WHOLLY),
        ("I fly on Monday, should I?", Naming.NOTHING, WHOLLY),
        ("how do I knit a scarf?", Naming.FOREIGN, ALONE),
        ("what makes one sad and tired?", Naming.PART, ALONE),
        ("this morning there was a bee", Naming.ENTRY, ALONE),
        ("what is gout?", Naming.ENTRY, ALONE),
    ],
)
def test_how_a_question_is_put_tells_how_it_stands(
    text: str, naming: Naming, expected: Leaning
) -> None:
    assert leaning(said(text, plain=("one", "other"), naming=naming)) == expected


@pytest.mark.parametrize(
    "text",
    ["it hurts when I pee", "I also have a fever", "I have a fever", "will I get a fever?"],
)
def test_what_names_an_entry_leans_only_where_the_topic_speaks_of_it(text: str) -> None:
    question = said(text, "fever", naming=Naming.ENTRY)
    assert 0 < stance(question, (GOUT,), always).share < 1
    assert stance(question, (GOUT,), never) == ALONE
    assert stance(question, (), always) == ALONE


def test_a_question_with_a_pronoun_leans_more_than_one_that_tells() -> None:
    asked = said("do they need surgery?", "surgeri", naming=Naming.ENTRY)
    told = said("they itch and I have a fever", "fever", naming=Naming.ENTRY)
    assert leaning(asked).share > leaning(told).share > 0


def test_somebody_new_may_be_the_one_that_she_is() -> None:
    cough = said("my daughter says she has a cough", "cough", naming=Naming.ENTRY)
    assert leaning(cough) == ALONE
    assert leaning(said("does she need antibiotics?", "antibiot")) == WHOLLY


@given(
    st.text(max_size=300),
    st.lists(st.tuples(st.text(max_size=100), st.sampled_from(Naming)), max_size=9),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_any_text_is_taken(question: str, earlier: list[tuple[str, Naming]], speaks: bool) -> None:
    turns = [said(text, "gout", naming=naming) for text, naming in earlier]
    thread = thread_of(turns, always if speaks else never)
    stands = stance(said(question), thread, always)
    found = borrowed(said(question), thread, stands)
    assert all(0 < one.weight < 2 for one in found)
    assert bool(found) == bool(stands.share)
    assert bool(thread) == bool(turns)
