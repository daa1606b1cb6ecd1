"""The exported file is whole, readable, and obeyed by nothing that shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.conversation.export import to_markdown
from app.conversation.turns import Answer, Conversation

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
        "## Question\n\n> And its signs?\n> In short.\n\nPain.\n\n*(stopped)*\n"
    )


def test_every_version_of_an_answer_is_there() -> None:
    text = export(talk("A?", Answer("one", "stop"), Answer("two", "length")))
    assert text.index("**Answer 1**\n\none") < text.index("**Answer 2**\n\ntwo\n\n*(cut")


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
