"""The exported file is whole, readable, and obeyed by nothing that shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.conversation.export import to_markdown
from app.conversation.turns import Answer, Conversation
from app.knowledge.passage import Passage

NOTICE = "Information, not a diagnosis."


def export(conversation: Conversation, demonstration: str = "") -> str:
    return to_markdown(conversation, "medquad-29m", demonstration, NOTICE)


def talk(question: str, *answers: Answer) -> Conversation:
    conversation = Conversation()
    conversation.ask(question)
    for answer in answers:
        conversation.add_answer(answer)
    return conversation


def test_the_whole_file() -> None:
    conversation = talk("What is glaucoma?", Answer(" A disease of the eye.", "stop"))
    conversation.ask("And its signs?\nIn short.")
    conversation.add_answer(Answer("Pain.", "cancelled"))
    assert export(conversation, "Demonstration model.") == (
        "# Bedside conversation\n\nModel: medquad-29m\n\nInformation, not a diagnosis.\n\n"
        "Demonstration model.\n\n"
        "## Question\n\n> What is glaucoma?\n\nA disease of the eye.\n\n"
        "Sources: none; this rests on the model alone.\n\n"
        "## Question\n\n> And its signs?\n> In short.\n\nPain.\n\n*(You stopped the answer.)*\n\n"
        "Sources: none; this rests on the model alone.\n"
    )


def leaflet(number: int, **fields: str) -> Passage:
    known = {"title": f"Leaflet {number}", "source": "Ward 3", "url": "", "date": "2025-01-31"}
    words = {**known, "licence": "", "text": "Drink water.", **fields}
    return Passage(number, score=1.0, **words)


def test_the_sources_stand_numbered_below_the_answer() -> None:
    conversation = talk("A?")
    conversation.lean_on([leaflet(1), leaflet(2, url="https://x.org/2", date="")], "A? with both")
    for text in ("one [1]", "two [2]"):
        conversation.add_answer(Answer(text, "stop"))
    text = export(conversation)
    assert text.endswith(
        "**Answer 2**\n\ntwo [2]\n\nSources:\n\n1. Leaflet 1, Ward 3, 2025-01-31\n"
        "2. Leaflet 2, Ward 3, date not known, https://x.org/2\n"
    )
    assert text.count("Sources") == 1
    assert "with both" not in text and "Drink water" not in text


def test_what_stood_below_an_answer_stands_below_it_here() -> None:
    conversation = talk("A?")
    conversation.lean_on([leaflet(1)], "")
    remarks = ("1 of 2 sentences is not in the sources.", "Check with a pharmacist: “Two\n# pills”")
    conversation.add_answer(Answer("Own.", "length", remarks))
    assert (
        "Own.\n\n*(The answer was cut: it reached the longest length that is set.)*\n\n"
        "*Note:* 1 of 2 sentences is not in the sources.\n\n"
        "*Note:* Check with a pharmacist: “Two # pills”\n\nSources:"
    ) in export(conversation)


def test_a_demonstration_has_the_passage_in_the_place_of_the_answer() -> None:
    conversation = talk("A?")
    conversation.lean_on([leaflet(1), leaflet(2, text="Two.")], "")
    conversation.add_answer(Answer("Own.", "stop"))
    text = export(conversation, "Demonstration model.")
    order = ("From the reference: Leaflet 1", "Drink water.", "own words:", "Own.", "Sources:")
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "Two." not in text


def test_red_flags_stand_above_the_answer() -> None:
    conversation = talk("My chest hurts")
    conversation.flag(["Chest pain: Call 112 now."])
    conversation.ask("And now?")
    conversation.flag(["Chest pain: Call 112 now.", "Crisis: Call 113."])
    conversation.flag(["Crisis: Call 113."])
    conversation.add_answer(Answer("Rest.", "stop"))
    first, second = export(conversation).split("## Question\n\n")[1:]
    assert first == (
        "> My chest hurts\n\n**! Chest pain: Call 112 now.**\n\n*(no answer of the model)*\n\n"
    )
    assert second.startswith(
        "> And now?\n\n**! Chest pain: Call 112 now.**\n\n**! Crisis: Call 113.**\n\nRest.\n\n"
    )


@given(st.text(), st.text())
def test_no_source_and_no_alert_begins_a_line_of_its_own(words: str, flag: str) -> None:
    conversation = talk("A?")
    conversation.lean_on([leaflet(1, title=words, source=words, url=words, date=words)], "")
    conversation.flag([flag])
    conversation.add_answer(Answer("end", "stop"))
    lines = export(conversation).split("\n")
    after = lines[lines.index("Sources:") :]
    assert [bool(line) for line in after] == [True, False, True, False]
    assert after[2].startswith("1. ")
    assert sum(line.startswith("**! ") for line in lines) == 1
    assert not any((ord(c) < 32 and c != "\t") or 0x7F <= ord(c) < 0xA0 for c in "".join(lines))


def test_every_version_of_an_answer_is_there() -> None:
    text = export(talk("A?", Answer("one", "stop"), Answer("two", "length")))
    first, second = text.index("**Answer 1**\n\none"), text.index("**Answer 2**\n\ntwo")
    assert first < second < text.index("*(The answer was cut")


def test_how_an_answer_ended_is_said() -> None:
    for reason, mark in (
        ("cancelled", "stopped"),
        ("length", "cut"),
        ("repetition", "repeat"),
        ("failed", "engine failed"),
    ):
        assert mark in export(talk("A?", Answer("x", reason)))  # type: ignore[arg-type]
    assert "(" not in export(talk("A?", Answer("x", "stop")))


def test_turns_the_model_has_forgotten_are_exported() -> None:
    conversation = talk("A?", Answer("a", "stop"))
    conversation.ask("B?")
    conversation.forget_through(1)
    assert "> A?\n\na\n" in export(conversation)


def test_a_question_that_was_never_answered_is_there() -> None:
    assert export(talk("A?")).endswith("> A?\n")


@given(st.text(), st.text(), st.text())
def test_nothing_in_it_speaks_to_a_terminal(question: str, answer: str, model: str) -> None:
    text = to_markdown(talk(question, Answer(answer, "stop")), model, "", NOTICE)
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in text)
    assert not set("\u202e\u2066\u200b\ufeff") & set(text)
    text.encode()


@given(st.text())
def test_a_question_stays_in_its_quote(question: str) -> None:
    body = export(talk(question, Answer("end", "stop"))).split("## Question\n\n")[1]
    quote = body[: body.rindex("\n\nend\n")] if "\n\nend\n" in body else body[: body.index("end\n")]
    assert all(line.startswith("> ") for line in quote.split("\n") if line)


@given(st.text(alphabet="# a\n*>-=1[]()`~<!"))
def test_a_models_name_stays_one_line(model: str) -> None:
    text = to_markdown(talk("A?", Answer("a", "stop")), model, "", NOTICE)
    assert text.startswith("# Bedside conversation\n\nModel: ")
    assert text.split("\n")[4] == NOTICE
