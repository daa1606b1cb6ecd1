"""A service in the test's own process, and what its events say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from app.engine.llama import StopFlag
from app.engine.messages import (
    EngineSettings,
    Event,
    Failed,
    Finished,
    Load,
    Loaded,
    Message,
    Sampling,
    Text,
)
from app.engine.service import Service, Work

SETTINGS = EngineSettings(
    context=512, decode_threads=1, prefill_threads=1, micro_batch=16, extra_buffers=False
)
"""One thread and no repacked weights: the same numbers each time, on a busy machine too."""
WILD = Sampling(temperature=2.0, top_k=0, top_p=1.0, min_p=0.0, guard_repetition=False)
"""Any token at all: what comes out is seldom what a tokenizer would make of its text."""
GREEDY = Sampling(temperature=0.0, max_tokens=16, guard_repetition=False)
SYSTEM = Message("system", "Be careful.")

Kind = TypeVar("Kind")


class Bench:
    """Does requests one after the other and keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.stop = StopFlag()
        self.service = Service(self.events.append, self.stop)

    def do(self, request: Work) -> list[Event]:
        """The events of one request."""
        start = len(self.events)
        self.service.handle(request)
        return self.events[start:]

    def load(self, path: Path, **fields: Any) -> Loaded:
        """Open a model, with the settings of these tests."""
        return only(Loaded, self.do(Load(str(path), **{"settings": SETTINGS, **fields})))

    @property
    def llama(self) -> Any:
        """The loaded model."""
        session = self.service._session
        assert session is not None
        return session.llama

    @property
    def cache(self) -> list[int]:
        """The tokens that the cache is said to hold."""
        session = self.service._session
        assert session is not None
        return session.cache.tokens

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The ids of a conversation."""
        session = self.service._session
        assert session is not None
        return session.builder.build(messages)


def only(kind: type[Kind], events: Sequence[Event]) -> Kind:
    """The last event, which is of this kind and the only last one."""
    ends = [event for event in events if isinstance(event, Loaded | Finished | Failed)]
    assert len(ends) <= 1, ends
    assert isinstance(events[-1], kind), events[-1]
    return events[-1]


def said(events: Sequence[Event]) -> str:
    """The text of the answer."""
    return "".join(event.text for event in events if isinstance(event, Text))
