"""A cancel means all that came before it, and nothing that comes after."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from app.engine.inbox import Inbox


def make() -> tuple[Inbox[str], threading.Event]:
    flag = threading.Event()
    return Inbox(flag), flag


def test_requests_come_in_order() -> None:
    inbox, _ = make()
    for item in "abc":
        inbox.put(item)
    taken = []
    for _ in "abc":
        with inbox.take() as item:
            taken.append(item)
    assert taken == ["a", "b", "c"]


def test_a_cancel_ends_the_running_request() -> None:
    inbox, flag = make()
    inbox.put("a")
    with inbox.take():
        assert not flag.is_set()
        inbox.cancel()
        assert flag.is_set()
    assert not flag.is_set()


def test_a_cancel_before_its_request_began_ends_it() -> None:
    inbox, flag = make()
    inbox.put("a")
    inbox.cancel()
    assert not flag.is_set(), "nothing runs that it could end"
    with inbox.take():
        assert flag.is_set()
    assert not flag.is_set()


def test_a_late_cancel_does_not_end_the_next_request() -> None:
    inbox, flag = make()
    inbox.put("a")
    with inbox.take():
        pass
    inbox.cancel()
    inbox.put("b")
    with inbox.take():
        assert not flag.is_set()


def test_a_cancel_of_nothing_is_nothing() -> None:
    inbox, flag = make()
    inbox.cancel()
    inbox.put("a")
    with inbox.take():
        assert not flag.is_set()


def test_a_cancel_ends_all_that_wait_but_not_what_follows() -> None:
    inbox, flag = make()
    inbox.put("a")
    inbox.put("b")
    ended = []
    with inbox.take():
        inbox.cancel()
        inbox.put("c")
        ended.append(flag.is_set())
    for _ in "bc":
        with inbox.take():
            ended.append(flag.is_set())
    assert ended == [True, True, False]


def test_a_failure_within_leaves_no_flag() -> None:
    inbox, flag = make()
    inbox.put("a")
    try:
        with inbox.take():
            inbox.cancel()
            raise ValueError
    except ValueError:
        pass
    assert not flag.is_set()


@given(st.lists(st.sampled_from(["put", "cancel", "begin", "end"]), max_size=40))
def test_it_is_what_its_rule_says(steps: list[str]) -> None:
    """Against the rule itself: a request is ended when a cancel came after it was put."""
    inbox, flag = make()
    waiting: list[int] = []
    put, cancelled = 0, 0
    block = None
    for step in steps:
        if step == "put":
            put += 1
            waiting.append(put)
            inbox.put("a")
        elif step == "cancel":
            cancelled = put
            inbox.cancel()
        elif step == "begin" and waiting and block is None:
            running = waiting.pop(0)
            block = inbox.take()
            block.__enter__()
        elif step == "end" and block is not None:
            block.__exit__(None, None, None)
            block = None
        assert flag.is_set() == (block is not None and running <= cancelled)
