"""How often an answer is drawn, and how fast it comes."""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.messages import Finished, Prefill, Text

_SHORTEST = 0.12
_SHARE = 5.0


@dataclass(slots=True)
class FlushPace:
    """The time between two drawings of a growing answer.

    An answer is laid out anew with each drawing, which costs the more the longer it is. With five
    times the last cost between two of them, drawing takes at most a sixth of the loop and the
    keys stay quick.
    """

    interval: float = _SHORTEST
    """Seconds from one drawing to the next."""

    def took(self, seconds: float) -> None:
        """Set the interval by what the last drawing cost."""
        self.interval = max(_SHORTEST, _SHARE * seconds)


@dataclass(frozen=True, slots=True)
class Speed:
    """What is known of the speed of one answer; None is not known (yet)."""

    decode: float | None = None
    """Tokens per second."""
    prefill: float | None = None
    """Tokens per second."""
    first_token_s: float | None = None
    """From Enter to the first words."""


@dataclass(slots=True)
class TurnMeter:
    """Measures one turn from its events. Times are given, in seconds of one clock."""

    asked_at: float
    _first_text_at: float | None = None
    _first_tokens: int = 0
    _tokens: int = 0
    _last_at: float = 0.0
    _prefilled: int = 0
    _finished: Finished | None = None

    def saw(self, event: object, now: float) -> None:
        """Take one event of the turn's stream."""
        match event:
            case Prefill(done=done):
                self._prefilled = done
                self._last_at = now
            case Text(tokens=tokens):
                if self._first_text_at is None:
                    self._first_text_at, self._first_tokens = now, tokens
                self._tokens, self._last_at = tokens, now
            case Finished():
                self._finished = event

    @property
    def speed(self) -> Speed:
        """The engine's own times once it has finished, what was seen from here until then."""
        first = None if self._first_text_at is None else self._first_text_at - self.asked_at
        if (end := self._finished) is not None:
            return Speed(
                decode=_rate(end.generated, end.decode_s),
                prefill=_rate(end.evaluated, end.prefill_s),
                first_token_s=first,
            )
        return Speed(decode=self._live_decode(), prefill=self._live_prefill(), first_token_s=first)

    def _live_decode(self) -> float | None:
        if self._first_text_at is None:
            return None
        return _rate(self._tokens - self._first_tokens, self._last_at - self._first_text_at)

    def _live_prefill(self) -> float | None:
        end = self._last_at if self._first_text_at is None else self._first_text_at
        return _rate(self._prefilled, end - self.asked_at)


def _rate(count: int, seconds: float) -> float | None:
    return count / seconds if count > 0 and seconds > 0 else None
