"""What is asked, word for word, and the seam between a prompt and its answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.errors import BadInputError
from converter.evaluate import wording
from converter.evaluate.batches import lay_out
from converter.evaluate.evaluation import Settings
from converter.evaluate.material import gather
from converter.evaluate.prompts import Asked, Prompts
from converter.evaluate.question import Question, QuestionSet
from converter.opened import OpenedModel
from tests.converter.evaluate.asking import questions, yes_no
from tests.converter.evaluate.conftest import Small

ORGAN = Question("o", "Which organ?", ("the eye", "a lung"), 1)
STUDY = Question("s", "Does it help?", ("yes", "no", "maybe"), 2, "", ("It\nhelps [1].", "Or not."))
READ = "References:\n[1] It helps [1].\n[2] Or not.\n\n"


def asked(
    model: Small, of: QuestionSet, settings: Settings, train: QuestionSet | None = None
) -> tuple[list[Asked], str]:
    with OpenedModel(model.file) as opened:
        prompts = Prompts(opened, gather(of, settings, train), settings)
        return list(prompts.after(0)), prompts.template


def written(model: Small, tokens: Sequence[int]) -> str:
    """Tokens as text. This tokenizer puts a space before whatever it is given, as Llama 2's does:
    in a chat before each stretch of template and content, as in Bedside's engine."""
    with OpenedModel(model.file) as opened:
        return (
            b"".join(opened.piece(token, special=True) for token in tokens)
            .decode()
            .replace("▁", " ")
        )


def one(question: Question, by_label: bool = False) -> QuestionSet:
    return QuestionSet(
        "one", question.options if by_label else ("A", "B"), (question,), "", by_label
    )


@pytest.mark.parametrize(
    ("question", "mode", "plain", "chat", "endings"),
    [
        (
            ORGAN,
            "letter",
            "Question: Which organ?\nA. the eye\nB. a lung\nAnswer:",
            "Which organ?\n\nA. the eye\nB. a lung\n\nAnswer with the letter of the right option.",
            ("A", "B"),
        ),
        (ORGAN, "text", "Question: Which organ?\nAnswer:", "Which organ?", ("the eye", "a lung")),
        (
            STUDY,
            "letter",
            READ + "Question: Does it help? Answer yes, no or maybe.\nAnswer:",
            READ + "Question: Does it help? Answer yes, no or maybe.",
            ("Yes", "No", "Maybe"),
        ),
    ],
)
def test_the_words(
    question: Question, mode: str, plain: str, chat: str, endings: tuple[str, ...]
) -> None:
    by_label = question is STUDY
    read = question.passages
    assert wording.plain(question, read, mode, by_label) == plain  # type: ignore[arg-type]
    assert wording.chat(question, read, mode, by_label) == chat  # type: ignore[arg-type]
    said = wording.answers(question, mode, by_label, in_chat=True)  # type: ignore[arg-type]
    assert said == endings
    said = wording.answers(question, mode, by_label, in_chat=False)  # type: ignore[arg-type]
    assert said == tuple(f" {word.lower() if by_label else word}" for word in endings)


def test_a_label_in_a_chat_keeps_its_capitals() -> None:
    question = Question("d", "Which?", ("left LVAD", "DNA"), 0)
    assert wording.answers(question, "letter", True, in_chat=True) == ("Left LVAD", "DNA")


def test_the_plain_form_begins_with_bos_and_ends_at_the_seam(small: Small) -> None:
    ((found,), template) = asked(small, one(ORGAN), Settings(template=False))
    assert template == "not used"
    assert written(small, found.prompt) == (
        "<s> Question: Which organ?\nA. the eye\nB. a lung\nAnswer:"
    )
    assert [written(small, ending) for ending in found.endings] == [" A", " B"]
    with OpenedModel(small.file) as opened:
        lead, whole = (opened.tokenize(text, special=False) for text in ("Answer:", "Answer: A"))
    assert [*lead, *found.endings[0]] == whole


def test_a_chat_has_the_models_template_and_the_system_message(small: Small) -> None:
    ((found,), template) = asked(small, one(ORGAN), Settings(mode="text", system="Be brief."))
    assert template == "the file's"
    assert written(small, found.prompt) == (
        "<s> [system] Be brief. \n[user] Which organ? \n[assistant]"
    )
    assert [written(small, ending) for ending in found.endings] == [" the eye", " a lung"]


def test_a_model_without_template_is_asked_plainly_and_that_is_said(untemplated: Small) -> None:
    ((found,), template) = asked(untemplated, one(ORGAN), Settings())
    assert template == "none in the file; the plain form was used"
    assert written(untemplated, found.prompt).endswith("B. a lung\nAnswer:")


def test_questions_cannot_write_the_models_own_tokens(small: Small) -> None:
    sly = Question("s", "<s></s>Which?", ("one", "two"), 0)
    for settings in (Settings(), Settings(template=False)):
        ((found,), _) = asked(small, one(sly), settings)
        assert [token for token in found.prompt if token < 3] == [1]


def test_examples_stand_before_each_question_with_their_answers(small: Small) -> None:
    train = questions(3, first=50)
    settings = Settings(shots=2, template=False)
    found, _ = asked(small, questions(4), settings, train)
    shown = gather(questions(4), settings, train).examples
    worked = "".join(
        f"{wording.plain(example, (), 'letter', False)} {'ABCD'[example.answer]}\n\n"
        for example in shown
    )
    texts = [written(small, each.prompt) for each in found]
    assert all(text.startswith("<s> " + worked) for text in texts)
    layout = lay_out(found, 512, writes=False)
    assert len(written(small, layout.head)) >= len("<s> " + worked + "Question: Which is organ ")
    chats, _ = asked(small, questions(4), Settings(shots=2), train)
    answer = "ABCD"[shown[0].answer]
    assert f"right option. \n[assistant] {answer} \n[user]" in written(small, chats[0].prompt)


def test_published_passages_can_be_left_out(small: Small) -> None:
    (first, *_), _ = asked(small, yes_no(2), Settings(template=False, passages="none"))
    assert "References" not in written(small, first.prompt)
    (first, *_), _ = asked(small, yes_no(2), Settings(template=False))
    assert written(small, first.prompt).startswith("<s> References:\n[1] It is 0.\n\nQuestion:")


def test_an_option_without_tokens_is_refused(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prompts, "_ending", lambda *_: [])
    with pytest.raises(BadInputError, match="no token in this model's vocabulary"):
        asked(small, one(ORGAN), Settings())


@pytest.mark.parametrize("spaces", ["", "▁"])
def test_a_tokenizer_with_a_space_of_its_own_puts_none_into_the_answer(
    small: Small, spaces: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def tokenize(self: OpenedModel, text: str, special: bool) -> list[int]:
        return [ord(character) for character in spaces + text]

    monkeypatch.setattr(OpenedModel, "tokenize", tokenize)
    ((found,), _) = asked(small, one(ORGAN), Settings(template=False))
    assert found.endings == [[ord(" "), ord("A")], [ord(" "), ord("B")]]
