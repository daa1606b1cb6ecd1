"""What a bench is to measure: every prompt with every answer, at each setting of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from app.engine.messages import EngineSettings, KvType
from app.errors import UsageError

MOST_ROWS = 256
ROOM = 64
"""Tokens of context beyond prompt and answer, so that none is cut."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The lists of a bench."""

    prompts: tuple[int, ...] = (128, 512)
    """Prompt lengths in tokens, with the chat template."""
    answers: tuple[int, ...] = (64,)
    """Answer lengths in tokens."""
    threads: tuple[int, ...] = ()
    """For decode and prefill alike; none takes the board profile's two numbers."""
    types: tuple[KvType, ...] = ()
    """Of keys and values alike; none takes the board profile's."""
    repeats: int = 5

    @property
    def lengths(self) -> tuple[tuple[int, int], ...]:
        """Every prompt with every answer."""
        return tuple(product(self.prompts, self.answers))

    @property
    def rows(self) -> int:
        """How many rows there will be."""
        return len(self.lengths) * max(1, len(self.threads)) * max(1, len(self.types))

    def settings(self, profile: EngineSettings) -> Iterator[EngineSettings]:
        """Each setting of the engine that is to be measured."""
        context = max(prompt + answer for prompt, answer in self.lengths) + ROOM
        for threads, kind in product(self.threads or (None,), self.types or (None,)):
            settings = replace(profile, context=context)
            if threads is not None:
                settings = replace(settings, decode_threads=threads, prefill_threads=threads)
            if kind is not None:
                # llama.cpp takes quantised values with flash attention alone.
                flash = settings.flash_attention or kind == "q8_0"
                settings = replace(settings, key_type=kind, value_type=kind, flash_attention=flash)
            yield settings

    def check(self) -> None:
        """Raises UsageError where this is nothing to measure, or a day's work by mistake."""
        if min(self.prompts, default=0) < 1 or min(self.answers, default=0) < 2:
            raise UsageError("A prompt needs a token or more, and an answer two or more.")
        if self.rows > MOST_ROWS:
            raise UsageError(f"That would be {self.rows} rows; {MOST_ROWS} is the most.")


def numbers(text: str) -> tuple[int, ...]:
    """The whole numbers of `128,512`.

    Raises:
        UsageError: it is something else.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 8 for word in words):
        raise UsageError(f"“{text}” is no list of whole numbers, as 128,512.")
    return tuple(dict.fromkeys(map(int, words)))
