"""The screen's history only grows at its end; the model's is a tail of it."""

from __future__ import annotations

import pytest

from app.conversation.turns import Answer, Conversation, Turn
from app.engine.messages import Message
from app.errors import UsageError


def talk(*turns: tuple[str, str]) -> Conversation:
    conversation = Conversation()
    for question, answer in turns:
        conversation.ask(question)
        if answer:
            conversation.add_answer(Answer(answer, "stop"))
    return conversation


def contents(messages: list[Message]) -> list[str]:
    return [f"{message.role}: {message.content}" for message in messages]


def test_the_model_is_sent_all_turns_and_the_last_question() -> None:
    conversation = talk(("A?", "a"), ("B?", "b"))
    assert contents(conversation.messages("Sys")) == [
        "system: Sys",
        "user: A?",
        "assistant: a",
        "user: B?",
    ]


def test_another_answer_keeps_the_earlier_one() -> None:
    conversation = talk(("A?", "a"))
    conversation.add_answer(Answer("b", "cancelled"))
    assert conversation.turns == (Turn("A?", (Answer("a", "stop"), Answer("b", "cancelled"))),)
    assert conversation.last.answer == Answer("b", "cancelled")
    conversation.ask("B?")
    assert "assistant: b" in contents(conversation.messages("Sys"))
    assert "assistant: a" not in contents(conversation.messages("Sys"))


@pytest.mark.parametrize("answer", [None, Answer("", "cancelled")])
def test_a_turn_without_a_word_of_answer_is_not_sent(answer: Answer | None) -> None:
    """Many templates refuse two questions in a row."""
    conversation = talk(("A?", ""))
    if answer is not None:
        conversation.add_answer(answer)
    conversation.ask("B?")
    assert contents(conversation.messages("Sys")) == ["system: Sys", "user: B?"]
    assert len(conversation.turns) == 2


def test_forgotten_turns_stay_on_the_screen() -> None:
    conversation = talk(("A?", "a"), ("B?", "b"), ("C?", ""))
    conversation.forget_through(2)
    assert (len(conversation.turns), conversation.forgotten) == (3, 2)
    assert contents(conversation.messages("Sys")) == ["system: Sys", "user: C?"]
    assert "user: B?" in contents(conversation.messages("Sys", forgotten=1))


def test_the_last_of_two_equal_turns_is_taken_back() -> None:
    conversation = talk(("A?", "a"), ("B?", "b"), ("A?", "a"))
    assert conversation.take_back().question == "A?"
    assert [turn.question for turn in conversation.turns] == ["A?", "B?"]


def test_what_was_taken_back_can_be_put_back() -> None:
    conversation = talk(("A?", "a"), ("B?", "b"))
    conversation.forget_through(1)
    before = conversation.turns
    conversation.put_back(conversation.take_back())
    assert (conversation.turns, conversation.forgotten) == (before, 1)


def test_taking_back_never_leaves_more_forgotten_than_there_are() -> None:
    conversation = talk(("A?", "a"))
    conversation.forget_through(1)
    conversation.take_back()
    conversation.ask("B?")
    assert conversation.forgotten == 0


def test_nothing_asked_is_wrong_use() -> None:
    for act in (Conversation().take_back, lambda: Conversation().last):
        with pytest.raises(UsageError, match="Nothing has been asked"):
            act()


def test_clear_forgets_everything() -> None:
    conversation = talk(("A?", "a"))
    conversation.forget_through(1)
    conversation.clear()
    assert (conversation.turns, conversation.forgotten) == ((), 0)
