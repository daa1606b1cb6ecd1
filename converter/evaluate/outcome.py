"""What a model made of one question: the value between scoring and the numbers made of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, answered by one model in one mode."""

    id: str
    """Of the question."""
    truth: int
    """Index of the true option."""
    choice: int | None
    """Index of the chosen one; None where the question did not fit, or nothing could be read from
    what the model wrote. None counts as wrong."""
    scores: tuple[float, ...]
    """Log-likelihood of each option in nats, as the mode defines it; empty where there are none.
    They decided: the choice is the best of them, the first where several are."""
    tokens: int
    """Of the whole prompt, without any option."""
    fits: bool
    """Whether prompt and longest option fit the context."""
    options: int
    """How many the question has, also where none was scored: chance is one of them."""
    subject: str = ""
    written: str = ""
    """What the model wrote, in the mode that lets it write."""
    sums: tuple[float, ...] = ()
    """In the mode `text`: each option's log-likelihood in nats, not divided by anything."""
    lengths: tuple[int, ...] = ()
    """In the mode `text`: bytes of each option in UTF-8, by which normalised scores are divided."""

    @property
    def correct(self) -> bool:
        """Whether the choice is the truth."""
        return self.choice == self.truth

    @property
    def margin(self) -> float | None:
        """How far the best option's score stands above the next; None with fewer than two."""
        best = sorted(self.scores, reverse=True)
        return best[0] - best[1] if len(best) > 1 else None
