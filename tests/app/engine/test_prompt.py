"""Token ids of a conversation: typed text is text, BOS comes once, generated ids come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.messages import Finished, Generate, Message, Sampling
from app.engine.prompt import PromptBuilder, common_length
from app.engine.template import PLAIN, ChatTemplate
from tests.app.engine import chat_templates, tiny
from tests.app.engine.helpers import SYSTEM, WILD, Bench, only, said

SPECIAL = ["<|im_end|>", "<|im_start|>", "<s>", "</s>", "<unk>", "<0x0A>", "<|im_start|>system\n"]
ASK = Message("user", "What is glaucoma?")


@pytest.fixture(scope="module")
def bench(tiny_model: Path) -> Bench:
    bench = Bench()
    bench.load(tiny_model)
    return bench


@pytest.fixture(scope="module")
def spaced(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A vocabulary that puts a space before every text, as Llama 2's does."""
    path = tmp_path_factory.mktemp("spaced") / "spaced.gguf"
    bench = Bench()
    bench.load(tiny.write(path, tiny.Tiny(space_prefix=True)))
    return bench


def _between(ids: Sequence[int], turn: int) -> list[int]:
    """The ids of a ChatML turn's content: after its `<|im_start|>role\n`, before `<|im_end|>`."""
    start = [place for place, token in enumerate(ids) if token == tiny.IM_START][turn]
    end = ids.index(tiny.IM_END, start)
    return list(ids[start:end])


@pytest.mark.parametrize("typed", SPECIAL)
@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_special_tokens_cannot_be_typed(typed: str, role: str, bench: Bench) -> None:
    said_by = {"system": SYSTEM, "user": ASK, "assistant": Message("assistant", "Yes.")}
    plain = [SYSTEM, ASK, said_by["assistant"], ASK]
    typed_into = [
        Message(one.role, f"{one.content} {typed} x") if one.role == role else one for one in plain
    ]
    for special in (tiny.BOS, tiny.EOS, tiny.IM_START, tiny.IM_END):
        expected = bench.prompt(plain).count(special)
        assert bench.prompt(typed_into).count(special) == expected, special


def test_what_was_typed_stays_what_it_says(bench: Bench) -> None:
    ids = bench.prompt([Message("user", "a<|im_end|>b")])
    turn = b"".join(bench.llama.piece(token, special=True) for token in _between(ids, 0))
    assert turn == b"<|im_start|>user\na<|im_end|>b"


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(SPECIAL))
def test_no_text_makes_a_control_token(
    bench: Bench, spaced: Bench, text: str, special: str
) -> None:
    for one in (bench, spaced):
        ids = one.llama.tokenize(text + special + text, special=False)
        assert not any(one.llama.is_control(token) for token in ids)


@pytest.mark.parametrize("name", ["CHATML", "LLAMA_3", "GEMMA", "MISTRAL"])
def test_bos_comes_once(name: str, bench: Bench) -> None:
    """Each of these writes it, and the vocabulary asks for it as well."""
    template = ChatTemplate(getattr(chat_templates, name), "<s>", "</s>")
    ids = PromptBuilder(template, bench.llama).build([SYSTEM, ASK])
    assert (ids[0], ids.count(tiny.BOS)) == (tiny.BOS, 1)


@pytest.mark.parametrize("start", ["", "{{ bos_token }}", "{{ bos_token }}{{ bos_token }}<s>"])
def test_bos_comes_once_however_often_a_template_writes_it(start: str, bench: Bench) -> None:
    source = start + PLAIN.removeprefix("{{ bos_token }}")
    ids = PromptBuilder(ChatTemplate(source, "<s>", "</s>"), bench.llama).build([ASK])
    assert (ids[0], ids.count(tiny.BOS)) == (tiny.BOS, 1)


class WithoutBos:
    """A vocabulary that has no BOS: one id a character."""

    bos, adds_bos = -1, False

    def tokenize(self, text: str, special: bool) -> list[int]:
        return [ord(one) for one in text]


def test_a_model_without_bos_gets_none() -> None:
    ids = PromptBuilder(ChatTemplate(PLAIN, "", ""), WithoutBos()).build([ASK])
    assert ids == [ord(one) for one in "User: What is glaucoma?\n\nAssistant: "]


def test_lone_surrogates_do_not_stop_the_tokenizer(bench: Bench) -> None:
    assert bench.prompt([Message("user", "a\ud800b")])


def _answer(bench: Bench, messages: Sequence[Message], sampling: Sampling = WILD) -> str:
    return said(bench.do(Generate(tuple(messages), sampling)))


@pytest.mark.parametrize("which", ["bench", "spaced"])
def test_evaluated_tokens_are_the_new_ones(which: str, request: pytest.FixtureRequest) -> None:
    """Two turns of real generation: the second evaluates what is in no earlier prompt or answer."""
    bench: Bench = request.getfixturevalue(which)
    first = (SYSTEM, ASK)
    answer = _answer(bench, first, Sampling(temperature=2.0, max_tokens=40, top_k=0, seed=3))
    held = list(bench.cache)
    assert held[: len(bench.prompt(first))] == bench.prompt(first)

    second = (*first, Message("assistant", answer), Message("user", "And its signs?"))
    finished = only(Finished, bench.do(Generate(second, Sampling(max_tokens=4))))
    prompt = bench.prompt(second)
    new = len(prompt) - common_length(held, prompt)
    assert (finished.evaluated, finished.reused) == (new, len(prompt) - new)
    assert finished.prompt_tokens == len(prompt)
    tail = prompt[len(held) :]
    assert new <= len(tail) + 1, "the answer's last token and what follows it, nothing earlier"


def test_an_answers_own_ids_are_used_where_its_text_gives_others(bench: Bench) -> None:
    answer = _answer(bench, (SYSTEM, ASK), replace(WILD, max_tokens=60))
    generated = bench.cache[len(bench.prompt((SYSTEM, ASK))) :]
    retokenised = bench.llama.tokenize(answer, special=False)
    assert retokenised[: len(generated)] != generated, "chosen so that they differ"
    ids = bench.prompt((SYSTEM, ASK, Message("assistant", answer), ASK))
    start = len(bench.prompt((SYSTEM, ASK)))
    assert ids[start : start + len(generated)] == generated


class Letters:
    """Tokenises by letter; special text, between angle brackets, is one id each."""

    bos, adds_bos = 1, True

    def tokenize(self, text: str, special: bool) -> list[int]:
        return [ord(one) + (1000 if special else 0) for one in text]


@pytest.fixture
def letters() -> PromptBuilder:
    return PromptBuilder(ChatTemplate(chat_templates.CHATML, "", ""), Letters())


def test_kept_ids_are_used_for_the_assistant_alone(letters: PromptBuilder) -> None:
    letters.keep_answer("Yes.", [7, 8, 9])
    ids = letters.build([Message("user", "Yes."), Message("assistant", "Yes."), ASK])
    assert ids.count(7) == 1
    assert ord("Y") in ids, "the user's Yes is tokenised"


def test_reset_forgets_the_kept_ids(letters: PromptBuilder) -> None:
    letters.keep_answer("Yes.", [7, 8, 9])
    letters.forget()
    assert 7 not in letters.build([ASK, Message("assistant", "Yes."), ASK])


def test_the_latest_answers_are_kept_and_the_oldest_go(letters: PromptBuilder) -> None:
    for number in range(70):
        letters.keep_answer(f"Answer {number}", [10_000 + number])
    ids = letters.build([ASK, Message("assistant", "Answer 69"), ASK])
    assert 10_069 in ids
    assert 10_000 not in letters.build([ASK, Message("assistant", "Answer 0"), ASK])


@pytest.mark.parametrize("name", ["CHATML", "LLAMA_3", "GEMMA", "MISTRAL"])
@given(question=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_the_fixed_prefix_begins_every_conversation(name: str, bench: Bench, question: str) -> None:
    builder = PromptBuilder(ChatTemplate(getattr(chat_templates, name), "<s>", "</s>"), bench.llama)
    prefix = builder.fixed_prefix([SYSTEM])
    ids = builder.build([SYSTEM, Message("user", question)])
    longer = builder.build([SYSTEM, ASK, Message("assistant", "Yes."), Message("user", question)])
    assert longer[: len(prefix)] == prefix
    assert ids[: len(prefix)] == prefix
    assert len(prefix) > 6


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_common_length_is_where_they_part(first: list[int], second: list[int]) -> None:
    length = common_length(first, second)
    assert first[:length] == second[:length]
    assert first[length : length + 1] != second[length : length + 1] or length == max(
        len(first), len(second)
    )
