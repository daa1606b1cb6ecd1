"""The vocabulary survives the wire exactly, and nothing else gets through it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.messages import (
    Event,
    Failed,
    Generate,
    Load,
    Message,
    Request,
    Text,
    decode_event,
    decode_request,
    encode,
)
from app.errors import EngineError

PLAIN = st.text(st.characters(codec="utf-8"))
COUNTS = st.dictionaries(PLAIN, st.integers())
NUMBERS = st.floats(allow_nan=False)


def _any_of(kinds: object) -> st.SearchStrategy[Any]:
    """Messages of every kind; what is text, number or mapping is drawn as the wire carries it."""
    return st.one_of(*(_any(kind) for kind in get_args(kinds)))


def _any(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{name: _any(hint) for name, hint in hints.items()})
    known = {str: PLAIN, float: NUMBERS, Mapping[str, int]: COUNTS}
    if kind == tuple[Message, ...]:
        return st.lists(_any(Message), max_size=3).map(tuple)
    return known[kind] if kind in known else st.from_type(kind)


@given(_any_of(Request))
def test_a_request_comes_back_as_it_was(request: Request) -> None:
    assert decode_request(encode(request)) == request


@given(_any_of(Event))
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert decode_event(encode(event)) == event


@given(PLAIN)
def test_a_message_is_one_line(text: str) -> None:
    line = encode(Text(text, 1))
    assert line.count(b"\n") == 1 and line.endswith(b"\n")


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    request = decode_request(encode(Generate((Message("user", "a\ud800b\udfffc"),))))
    assert isinstance(request, Generate)
    assert request.messages[0].content == "a\ufffdb\ufffdc"


BROKEN = {
    "nothing": b"",
    "not JSON": b"llama_model_loader: loaded\n",
    "not UTF-8": b'{"type":"Text","text":"\xff","tokens":1}\n',
    "half a line": encode(Text("a", 1))[:-5],
    "no object": b"[1]\n",
    "a number": b"5\n",
    "no type": b'{"text":"a","tokens":1}\n',
    "unknown type": b'{"type":"Shutdown"}\n',
    "a type that is a list": b'{"type":["Text"]}\n',
    "a dataclass that is no message": b'{"type":"Message","role":"user","content":"a"}\n',
    "a missing field": b'{"type":"Text","text":"a"}\n',
    "an unknown field": b'{"type":"Text","text":"a","tokens":1,"colour":"red"}\n',
    "a JSON bomb": b"[" * 100_000 + b"\n",
    "a number without end": b'{"type":"Counted","tokens":' + b"9" * 5000 + b"}\n",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_line_is_an_engine_error(fault: str) -> None:
    with pytest.raises(EngineError, match="is no message"):
        decode_event(BROKEN[fault])


@pytest.mark.parametrize(
    "messages", [b"5", b'["a"]', b'[{"role":"user"}]', b'[{"role":"user","content":"a","x":1}]']
)
def test_a_broken_conversation_is_an_engine_error(messages: bytes) -> None:
    with pytest.raises(EngineError, match="is no message"):
        decode_request(b'{"type":"Count","messages":' + messages + b"}\n")


def test_requests_and_events_do_not_pass_for_one_another() -> None:
    with pytest.raises(EngineError):
        decode_event(encode(Load("a.gguf")))
    with pytest.raises(EngineError):
        decode_request(encode(Failed("died", "It died.")))
