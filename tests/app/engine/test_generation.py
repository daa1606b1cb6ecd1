"""One answer, over a model that is a script: what is evaluated, said, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.generation import Cache, Generation, Pace
from app.engine.messages import Finished, Prefill, Text
from app.engine.stopping import Stopped

END, CONTROL = 900, 901
PROMPT = list(range(100, 110))


class FakeModel:
    """Says what it is told to, and notes what it is asked for."""

    micro_batch = 4

    def __init__(self, answer: Sequence[int] = (), cuts: bool = True) -> None:
        self.answer = list(answer)
        self.cuts = cuts
        self.held: list[int] = []
        self.calls: list[tuple[list[int], int, bool]] = []
        self.threads: list[int] = []
        self.before_evaluate: Callable[[], None] = lambda: None

    def evaluate(self, tokens: Sequence[int], position: int, wants_logits: bool) -> None:
        assert position == len(self.held), "each token has its place right after the last"
        assert 0 < len(tokens) <= self.micro_batch
        self.before_evaluate()
        self.held += tokens
        self.calls.append((list(tokens), position, wants_logits))

    def cut(self, length: int) -> bool:
        if self.cuts:
            del self.held[length:]
        return self.cuts

    def clear(self) -> None:
        self.held = []

    def piece(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def ends_generation(self, token: int) -> bool:
        return token == END

    def is_control(self, token: int) -> bool:
        return token == CONTROL

    def set_decode_threads(self, count: int) -> None:
        self.threads.append(count)

    def sample(self) -> int:
        assert self.calls[-1][2], "the last evaluation gave logits"
        return self.answer.pop(0)


class Run:
    """A generation and everything around it."""

    def __init__(self, model: FakeModel) -> None:
        self.model = model
        self.cache = Cache(model)
        self.stopping = Event()
        self.pace = Pace()
        self.events: list[Prefill | Text] = []

    def answer(
        self, prompt: Sequence[int] = PROMPT, room: int = 50, guard: bool = True
    ) -> tuple[Finished, Generation]:
        generation = Generation(
            self.model, self.cache, self.events.append, self.stopping, self.pace
        )
        finished = generation.run(prompt, self.model, room, guard)
        assert self.cache.tokens == self.model.held
        return finished, generation

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))


def said(text: str) -> list[int]:
    """One token a byte, and the end."""
    return [*text.encode(), END]


def test_an_answer_is_said_and_counted() -> None:
    run = Run(FakeModel(said("Yes.")))
    finished, generation = run.answer()
    assert (run.text, generation.transcript.text) == ("Yes.", "Yes.")
    assert generation.transcript.ids == list(b"Yes.")
    assert (finished.reason, finished.generated) == ("stop", 4)
    assert (finished.prompt_tokens, finished.reused, finished.evaluated) == (10, 0, 10)
    assert run.cache.tokens == PROMPT + list(b"Yes.")


def test_the_prompt_goes_in_micro_batches_with_logits_at_its_end_alone() -> None:
    run = Run(FakeModel(said("")))
    run.answer()
    assert [(len(tokens), logits) for tokens, _, logits in run.model.calls] == [
        (4, False),
        (4, False),
        (2, True),
    ]
    assert run.events == [
        Prefill(0, 10, 0),
        Prefill(4, 10, 0),
        Prefill(8, 10, 0),
        Prefill(10, 10, 0),
    ]


def test_only_what_is_new_is_evaluated() -> None:
    run = Run(FakeModel(said("Yes.") + said("No.")))
    run.answer()
    finished, _ = run.answer([*PROMPT, *b"Yes.", 50, 51])
    assert (finished.reused, finished.evaluated) == (14, 2)
    assert run.model.calls[-4][0] == [50, 51]


def test_a_prompt_that_is_held_already_is_evaluated_by_one_token() -> None:
    run = Run(FakeModel(said("") + said("")))
    run.answer()
    finished, _ = run.answer()
    assert (finished.reused, finished.evaluated) == (9, 1)


def test_a_cache_that_cannot_be_cut_is_begun_anew() -> None:
    run = Run(FakeModel(said("Yes.") + said("No."), cuts=False))
    run.answer()
    finished, _ = run.answer([*PROMPT[:5], 1, 2])
    assert (finished.reused, finished.evaluated) == (0, 7)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=1, max_size=5))
def test_the_cache_is_always_what_it_says(prompts: list[list[int]]) -> None:
    run = Run(FakeModel())
    for prompt in prompts:
        run.model.answer = said("ok")
        before = list(run.cache.tokens)
        finished, _ = run.answer(prompt)
        assert run.cache.tokens == [*prompt, *b"ok"]
        assert before[: finished.reused] == prompt[: finished.reused]
        assert finished.reused + finished.evaluated == len(prompt)


def test_the_answer_ends_at_its_room() -> None:
    finished, generation = Run(FakeModel(said("abcdef"))).answer(room=3)
    assert (finished.reason, finished.generated, generation.transcript.text) == ("length", 3, "abc")


@pytest.mark.parametrize("token", [END, CONTROL])
def test_a_token_of_control_ends_the_answer_and_is_not_said(token: int) -> None:
    run = Run(FakeModel([*b"ab", token, *b"cd"]))
    finished, generation = run.answer()
    assert (finished.reason, run.text, generation.transcript.ids) == ("stop", "ab", list(b"ab"))


def test_a_loop_is_ended_unless_it_is_wanted() -> None:
    finished, _ = Run(FakeModel(list(b"take it ") * 20)).answer(room=100)
    assert finished.reason == "repetition" and finished.generated < 60
    finished, _ = Run(FakeModel(list(b"take it ") * 20)).answer(room=100, guard=False)
    assert (finished.reason, finished.generated) == ("length", 100)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_only_whole_characters_are_said(text: str) -> None:
    run = Run(FakeModel(said(text)))
    run.answer(room=500, guard=False)
    pieces = [event for event in run.events if isinstance(event, Text)]
    assert "".join(piece.text for piece in pieces) == text
    ends = [len(text[: place + 1].encode()) for place in range(len(text))]
    assert [piece.tokens for piece in pieces] == ends


def test_half_a_character_at_the_end_is_marked() -> None:
    run = Run(FakeModel([*b"a", *"é".encode()[:1], END]))
    _, generation = run.answer()
    assert (run.text, generation.transcript.text) == ("a\ufffd", "a\ufffd")


def test_bytes_that_are_no_text_are_marked() -> None:
    run = Run(FakeModel([0xFF, *b"a", END]))
    run.answer()
    assert run.text == "\ufffda"


def _stop_at(run: Run, call: int, aborts: bool) -> None:
    """Cancel during the nth evaluation; with `aborts` llama.cpp gives it up half done."""

    def count() -> None:
        nonlocal call
        call -= 1
        if call == 0:
            run.stopping.set()
            if aborts:
                raise Stopped

    run.model.before_evaluate = count


@pytest.mark.parametrize(("aborts", "held"), [(True, 4), (False, 8)])
def test_a_cancel_in_prefill_keeps_what_was_whole(aborts: bool, held: int) -> None:
    run = Run(FakeModel(said("Yes.")))
    _stop_at(run, 2, aborts)
    finished, generation = run.answer()
    assert (finished.reason, finished.generated, generation.transcript.text) == ("cancelled", 0, "")
    assert run.cache.tokens == PROMPT[:held]
    assert finished.evaluated == held
    assert finished.decode_s == 0.0


@pytest.mark.parametrize("aborts", [True, False])
def test_a_cancel_in_decode_keeps_the_text(aborts: bool) -> None:
    run = Run(FakeModel(said("Yes.")))
    _stop_at(run, 3 + 2, aborts)
    finished, generation = run.answer()
    assert (finished.reason, run.text) == ("cancelled", "Ye")
    assert generation.transcript.ids == list(b"Ye")
    assert run.cache.tokens == PROMPT + list(b"Ye")[: 1 if aborts else 2]


def test_after_a_cancel_the_next_answer_goes_on_from_there() -> None:
    run = Run(FakeModel(said("Yes.")))
    _stop_at(run, 2, True)
    run.answer()
    run.stopping.clear()
    run.model.before_evaluate = lambda: None
    finished, _ = run.answer()
    assert (finished.reason, finished.reused, finished.evaluated) == ("stop", 4, 6)


def test_a_cancel_that_came_first_evaluates_nothing() -> None:
    run = Run(FakeModel(said("Yes.")))
    run.stopping.set()
    finished, _ = run.answer()
    assert (finished.reason, finished.evaluated, run.model.calls) == ("cancelled", 0, [])


def test_half_the_duty_takes_twice_the_time() -> None:
    run = Run(FakeModel(said("a" * 10)))
    run.model.before_evaluate = lambda: time.sleep(0.01)
    run.pace.duty = 0.5
    finished, _ = run.answer(guard=False)
    assert finished.decode_s >= 2 * 10 * 0.01


def test_a_cancel_does_not_wait_for_the_pace() -> None:
    run = Run(FakeModel(said("a" * 10)))
    run.model.before_evaluate = lambda: time.sleep(0.01)
    run.pace.duty = 0.0005  # 20 seconds after each token
    threading.Timer(0.1, run.stopping.set).start()
    finished, _ = run.answer()
    assert finished.reason == "cancelled" and finished.decode_s < 5


def test_a_change_of_threads_holds_from_the_next_token_and_once() -> None:
    run = Run(FakeModel(said("abc")))
    run.pace.threads = 1
    run.answer()
    assert run.model.threads == [1]


def test_the_prompt_keeps_the_duty_too() -> None:
    run = Run(FakeModel(said("")))
    run.model.before_evaluate = lambda: time.sleep(0.02)
    run.pace.duty = 0.5
    finished, _ = run.answer()
    assert finished.prefill_s >= 2 * 3 * 0.02


def test_a_bench_goes_on_through_the_models_end() -> None:
    run = Run(FakeModel([CONTROL, END, 65, END, 66, END]))
    generation = Generation(run.model, run.cache, run.events.append, run.stopping, run.pace)
    finished = generation.run(PROMPT, run.model, 6, False, stop_at_end=False)
    assert (finished.reason, finished.generated) == ("length", 6)
