"""One answer: the part of the prompt that the cache lacks, then token after token."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event as ThreadEvent
from typing import Protocol

from app.engine.messages import Finished, Prefill, StopReason, Text
from app.engine.prompt import common_length
from app.engine.repetition import loops
from app.engine.stopping import Stopped

Emit = Callable[[Prefill | Text], None]


class Sampler(Protocol):
    """Chooses the next token from the logits of the last evaluation."""

    def sample(self) -> int: ...


class Model(Protocol):
    """What of the loaded model an answer needs; `app.engine.llama.Llama` is one."""

    micro_batch: int

    def evaluate(self, tokens: Sequence[int], position: int, wants_logits: bool) -> None: ...

    def cut(self, length: int) -> bool: ...

    def clear(self) -> None: ...

    def piece(self, token: int) -> bytes: ...

    def ends_generation(self, token: int) -> bool: ...

    def is_control(self, token: int) -> bool: ...

    def set_decode_threads(self, count: int) -> None: ...


@dataclass(slots=True)
class Pace:
    """How an answer may use the processor; another thread changes it while the answer runs."""

    duty: float = 1.0
    """Share of the time that computing may use."""
    threads: int | None = None
    """Threads to decode with from now on; None leaves them as they are."""


class Cache:
    """The tokens that the model's cache holds, and how to make it hold others."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.tokens: list[int] = []

    def keep_common(self, prompt: Sequence[int]) -> int:
        """Cut the cache to what it has in common with the prompt, and return that length.

        The prompt's last token is always left to evaluate: its logits choose the first token.
        """
        common = min(common_length(self.tokens, prompt), len(prompt) - 1)
        if common < len(self.tokens) and not self._model.cut(common):
            self._model.clear()  # sliding-window and recurrent caches cannot be cut
            common = 0
        del self.tokens[common:]
        return common

    def extend(self, tokens: Sequence[int], wants_logits: bool) -> None:
        """Evaluate at most a micro-batch more. Raises Stopped and leaves the cache as it was."""
        self._model.evaluate(tokens, len(self.tokens), wants_logits)
        self.tokens += tokens

    def clear(self) -> None:
        """Hold nothing."""
        self._model.clear()
        self.tokens = []


class Transcript:
    """Collects an answer's tokens and hands its text out in whole characters."""

    def __init__(self, model: Model, emit: Emit) -> None:
        self._model, self._emit = model, emit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.ids: list[int] = []
        self.text = ""

    def add(self, token: int) -> None:
        """One more token."""
        self.ids.append(token)
        self._say(self._decoder.decode(self._model.piece(token)))

    def finish(self) -> None:
        """No more tokens come; half a character at the end becomes U+FFFD."""
        self._say(self._decoder.decode(b"", final=True))

    def _say(self, text: str) -> None:
        if text:
            self.text += text
            self._emit(Text(text, len(self.ids)))


class Generation:
    """One run of the model over one prompt."""

    def __init__(
        self, model: Model, cache: Cache, emit: Emit, stopping: ThreadEvent, pace: Pace
    ) -> None:
        """`stopping` is set by another thread to end the run; `pace` may change under way."""
        self._model, self._cache = model, cache
        self._emit, self._stopping, self._pace = emit, stopping, pace
        self.transcript = Transcript(model, emit)
        self._reused = self._evaluated = 0
        self._read_at: float | None = None

    def run(
        self,
        prompt: Sequence[int],
        sampler: Sampler,
        room: int,
        guard_repetition: bool,
        stop_at_end: bool = True,
    ) -> Finished:
        """Answer with at most `room` tokens. Emits Prefill and Text; a cancel is a normal end.

        The memory of the process is not known here: `resident_bytes` is 0 and the caller's to set.
        """
        started = time.monotonic()
        try:
            self._prefill(prompt)
            self._read_at = time.monotonic()
            reason = self._decode(sampler, room, guard_repetition, stop_at_end)
        except Stopped:
            reason = "cancelled"
        self.transcript.finish()
        ended = time.monotonic()
        read = self._read_at or ended
        return Finished(
            reason=reason,
            prompt_tokens=len(prompt),
            reused=self._reused,
            evaluated=self._evaluated,
            generated=len(self.transcript.ids),
            prefill_s=read - started,
            decode_s=ended - read,
            resident_bytes=0,
        )

    def _prefill(self, prompt: Sequence[int]) -> None:
        self._reused = self._cache.keep_common(prompt)
        total = len(prompt) - self._reused
        self._emit(Prefill(0, total, self._reused))
        for start in range(self._reused, len(prompt), self._model.micro_batch):
            self._raise_if_stopping()
            chunk = prompt[start : start + self._model.micro_batch]
            began = time.monotonic()
            self._cache.extend(chunk, wants_logits=start + len(chunk) == len(prompt))
            self._evaluated += len(chunk)
            self._emit(Prefill(self._evaluated, total, self._reused))
            self._rest(time.monotonic() - began)

    def _decode(
        self, sampler: Sampler, room: int, guard_repetition: bool, stop_at_end: bool
    ) -> StopReason:
        ids = self.transcript.ids
        while True:
            self._raise_if_stopping()
            token = sampler.sample()
            # A control token that does not end the turn, such as the start of another one, is
            # no text either: a small model that writes it has lost its thread.
            ends = self._model.ends_generation(token) or self._model.is_control(token)
            if ends and stop_at_end:
                return "stop"
            self.transcript.add(token)
            if len(ids) >= room:
                return "length"
            if guard_repetition and loops(ids):
                return "repetition"
            self._extend_in_pace(token)

    def _extend_in_pace(self, token: int) -> None:
        started = time.monotonic()
        threads, self._pace.threads = self._pace.threads, None
        if threads is not None:
            self._model.set_decode_threads(threads)
        self._cache.extend([token], wants_logits=True)
        self._rest(time.monotonic() - started)

    def _rest(self, worked_s: float) -> None:
        """Do nothing for so long that the work was its share of the time; a stop ends it."""
        duty = self._pace.duty
        if duty < 1.0:
            self._stopping.wait(worked_s * (1 / duty - 1))

    def _raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise Stopped
