"""Reading a sensor that may never answer, without waiting for it for ever.

A read that hangs in the kernel cannot be ended. So each slow sensor is read in a thread of its own,
and who asks waits a limited time; while an old read still hangs, no new one is begun.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from app.monitor.devices import Unavailable

Value = TypeVar("Value")


class Patient(Generic[Value]):
    """A read with a deadline."""

    def __init__(self, read: Callable[[], Value], deadline_s: float) -> None:
        """
        Args:
            read: may take long; may raise Unavailable. Called in one thread only.
            deadline_s: how long `ask` waits.
        """
        self._read = read
        self._deadline_s = deadline_s
        self._questions: SimpleQueue[bool] = SimpleQueue()
        self._answers: SimpleQueue[Value | Unavailable] = SimpleQueue()
        self._waiting = False
        self.cpu_s = 0.0
        """Processor time of this thread's reads, in seconds."""
        threading.Thread(target=self._serve, name="bedside-sensor", daemon=True).start()

    def ask(self) -> Value:
        """The value, read now. Raises Unavailable with the reader's reason, or the deadline's."""
        if self._waiting and self._late_answer() is None:
            raise self._too_slow()
        self._questions.put(True)
        self._waiting = True
        try:
            answer = self._answers.get(timeout=self._deadline_s)
        except Empty as error:
            raise self._too_slow() from error
        self._waiting = False
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    def close(self) -> None:
        """Let the thread end; one that hangs in a read ends with the process."""
        self._questions.put(False)

    def _late_answer(self) -> Value | Unavailable | None:
        """Takes the answer to a question that was given up: it is too old to be a reading."""
        try:
            late = self._answers.get_nowait()
        except Empty:
            return None
        self._waiting = False
        return late

    def _too_slow(self) -> Unavailable:
        return Unavailable(f"the sensor did not answer within {self._deadline_s:g} s")

    def _serve(self) -> None:
        while self._questions.get():
            before = time.thread_time()
            try:
                answer: Value | Unavailable = self._read()
            except Unavailable as reason:
                answer = reason
            self.cpu_s += time.thread_time() - before
            self._answers.put(answer)
