"""Requests on their way to the service: in order, but for a cancel, which overtakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Lock
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class Flag(Protocol):
    """What is raised to end the running request."""

    def set(self) -> None: ...

    def clear(self) -> None: ...


class Inbox(Generic[Item]):
    """A queue whose items are numbered, so that a cancel means all that came before it.

    A cancel that comes when nothing waits or runs means nothing; one that comes before its
    request was begun still ends it; one that comes late never ends the next request.
    """

    def __init__(self, flag: Flag) -> None:
        self._flag = flag
        self._queue: SimpleQueue[tuple[int, Item]] = SimpleQueue()
        self._lock = Lock()
        self._last = self._cancelled = self._running = 0

    def put(self, item: Item) -> None:
        """Add a request at the end."""
        with self._lock:
            self._last += 1
            self._queue.put((self._last, item))

    def cancel(self) -> None:
        """End everything that came before."""
        with self._lock:
            self._cancelled = self._last
            if 0 < self._running <= self._cancelled:
                self._flag.set()

    @contextmanager
    def take(self) -> Iterator[Item]:
        """Wait for the next request; within the block it is the running one."""
        number, item = self._queue.get()
        with self._lock:
            self._running = number
            if number <= self._cancelled:
                self._flag.set()
        try:
            yield item
        finally:
            with self._lock:
                self._running = 0
                self._flag.clear()
