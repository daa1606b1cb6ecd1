"""Requests into events, over a small real model: each ends once, and leaves the next one whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine.messages import (
    Cleared,
    Count,
    Counted,
    Failed,
    Finished,
    Generate,
    Message,
    Prefill,
    Reset,
    SetPace,
    Text,
    Warm,
    Warmed,
)
from tests.app.engine import tiny
from tests.app.engine.helpers import GREEDY, SETTINGS, SYSTEM, WILD, Bench, only, said

ASK = (SYSTEM, Message("user", "What is glaucoma?"))


@pytest.fixture
def bench(tiny_model: Path) -> Bench:
    bench = Bench()
    bench.load(tiny_model)
    return bench


def test_an_answers_counts_hold_together(bench: Bench) -> None:
    *events, finished = bench.do(Generate(ASK, GREEDY))
    assert isinstance(finished, Finished)
    prompt = bench.prompt(ASK)
    assert finished.prompt_tokens == len(prompt) == finished.reused + finished.evaluated
    reads = [event for event in events if isinstance(event, Prefill)]
    assert [event.done for event in reads] == sorted(event.done for event in reads)
    assert (reads[0].done, reads[-1].done, reads[-1].total) == (0, len(prompt), len(prompt))
    texts = [event for event in events if isinstance(event, Text)]
    assert texts[-1].tokens == finished.generated == 16
    assert finished.prefill_s > 0 and finished.decode_s > 0
    assert finished.resident_bytes > 10_000_000


def test_greedy_answers_are_the_same_each_time(bench: Bench, tiny_model: Path) -> None:
    first = said(bench.do(Generate(ASK, GREEDY)))
    assert said(bench.do(Generate(ASK, GREEDY))) == first, "from the cache"
    bench.do(Reset())
    assert said(bench.do(Generate(ASK, GREEDY))) == first, "read anew"
    other = Bench()
    other.load(tiny_model, settings=replace(SETTINGS, micro_batch=64))
    assert said(other.do(Generate(ASK, GREEDY))) == first, "in larger pieces"


def test_a_seed_gives_the_same_answer_and_another_another(bench: Bench) -> None:
    def answer(seed: int) -> str:
        return said(bench.do(Generate(ASK, replace(WILD, seed=seed, max_tokens=24))))

    assert answer(1) == answer(1) != answer(2)


def test_a_penalty_keeps_words_from_coming_back(bench: Bench) -> None:
    free = replace(GREEDY, max_tokens=60, repeat_penalty=1.0)
    _, held = bench.do(Generate(ASK, free)), bench.cache[len(bench.prompt(ASK)) :]
    bench.do(Generate(ASK, replace(free, repeat_penalty=3.0)))
    penalised = bench.cache[len(bench.prompt(ASK)) :]
    assert len(set(penalised)) / len(penalised) > len(set(held)) / len(held)


def test_the_answer_has_what_the_prompt_leaves(bench: Bench) -> None:
    messages = (Message("user", "fever " * 70),)
    finished = bench.do(Generate(messages, replace(WILD, max_tokens=100_000, seed=5)))[-1]
    assert isinstance(finished, Finished)
    assert finished.prompt_tokens + finished.generated <= 512


def test_a_conversation_without_room_is_refused_with_the_numbers(bench: Bench) -> None:
    messages = (Message("user", "fever " * 500),)
    before = list(bench.cache)
    failed = only(Failed, bench.do(Generate(messages, GREEDY)))
    assert failed.code == "context"
    assert failed.detail == {"tokens": len(bench.prompt(messages)), "context": 512}
    assert bench.cache == before
    assert said(bench.do(Generate(ASK, GREEDY)))


def test_count_is_what_generate_will_read_and_touches_nothing(bench: Bench) -> None:
    bench.do(Generate(ASK, GREEDY))
    before = list(bench.cache)
    longer = (*ASK, Message("assistant", "Yes."), Message("user", "And?"))
    counted = only(Counted, bench.do(Count(longer)))
    assert bench.cache == before
    finished = only(Finished, bench.do(Generate(longer, GREEDY)))
    assert finished.prompt_tokens == counted.tokens


def test_reset_forgets_the_conversation(bench: Bench) -> None:
    answer = said(bench.do(Generate(ASK, replace(WILD, max_tokens=30))))
    assert only(Cleared, bench.do(Reset())) == Cleared()
    assert bench.cache == []
    again = (*ASK, Message("assistant", answer), Message("user", "And?"))
    finished = only(Finished, bench.do(Generate(again, GREEDY)))
    assert (finished.reused, finished.evaluated) == (0, finished.prompt_tokens)


def test_warming_leaves_one_prefix_to_every_first_question(bench: Bench) -> None:
    warmed = only(Warmed, bench.do(Warm((SYSTEM,))))
    assert bench.cache == bench.prompt(ASK)[: warmed.tokens]
    finished = only(Finished, bench.do(Generate(ASK, GREEDY)))
    assert finished.reused == warmed.tokens


@pytest.mark.parametrize("request_", [Warm((SYSTEM,)), Generate(ASK), Count(ASK), Reset()])
def test_nothing_can_be_asked_before_a_model_is_there(
    request_: Warm | Generate | Count | Reset,
) -> None:
    failed = only(Failed, Bench().do(request_))
    assert (failed.code, failed.sentence) == ("internal", "No model is loaded.")


def test_a_cancel_from_another_thread_ends_an_answer(bench: Bench) -> None:
    bench.service.pace(SetPace(1, 0.05))  # or this small model would be too quick
    threading.Timer(0.05, bench.stop.set).start()
    finished = only(Finished, bench.do(Generate(ASK, replace(GREEDY, max_tokens=400))))
    assert finished.reason == "cancelled"
    bench.stop.clear()
    assert said(bench.do(Generate(ASK, GREEDY)))


def test_an_abort_within_a_prefill_leaves_the_cache_as_it_was(heavy_model: Path) -> None:
    bench = Bench()
    settings = replace(SETTINGS, context=4096, micro_batch=1024)
    bench.load(heavy_model, settings=settings)
    bench.do(Generate((SYSTEM, Message("user", "Hello")), replace(GREEDY, max_tokens=1)))
    held = list(bench.cache)
    long = (SYSTEM, Message("user", "Hello and how many tablets. " * 25))
    threading.Timer(0.15, bench.stop.set).start()
    finished = only(Finished, bench.do(Generate(long, GREEDY)))
    assert (finished.reason, finished.evaluated) == ("cancelled", 0)
    assert bench.cache == held[: finished.reused] and finished.reused > 8
    bench.stop.clear()
    resumed = said(bench.do(Generate(long, replace(GREEDY, max_tokens=4))))
    bench.do(Reset())
    assert resumed == said(bench.do(Generate(long, replace(GREEDY, max_tokens=4))))


def test_a_cancelled_warming_is_no_failure(bench: Bench) -> None:
    bench.stop.set()
    assert only(Warmed, bench.do(Warm((SYSTEM,)))).tokens == 0
    bench.stop.clear()
    assert only(Warmed, bench.do(Warm((SYSTEM,)))).tokens > 4


def test_pace_slows_an_answer_that_is_under_way(bench: Bench) -> None:
    def half_way(event: object) -> None:
        events.append(event)
        if isinstance(event, Text) and event.tokens == 4:
            bench.service.pace(SetPace(1, 0.05))

    events: list[object] = []
    quick = only(Finished, bench.do(Generate(ASK, GREEDY)))
    bench.service._emit = half_way
    bench.do(Generate(ASK, GREEDY))
    slow = events[-1]
    assert isinstance(slow, Finished)
    assert slow.decode_s > 3 * quick.decode_s


def test_a_second_model_takes_the_place_of_the_first(bench: Bench, tmp_path: Path) -> None:
    first = said(bench.do(Generate(ASK, GREEDY)))
    bench.load(tiny.write(tmp_path / "other.gguf", tiny.Tiny(seed=2)))
    assert bench.cache == []
    assert said(bench.do(Generate(ASK, GREEDY))) != first
