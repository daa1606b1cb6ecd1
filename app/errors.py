"""Every failure that a person can cause, each with the exit code its command ends in."""

from __future__ import annotations

from typing import ClassVar


class BedsideError(Exception):
    """A failure told in one plain sentence: what was wrong and what to do about it.

    The sentence is the whole message; commands print it and nothing else.
    """

    exit_code: ClassVar[int] = 1


class UsageError(BedsideError):
    """Options or settings that cannot be followed."""

    exit_code = 2


class BadInputError(BedsideError):
    """A file or text that is not what it should be."""

    exit_code = 3


class ResourceError(BedsideError):
    """Not enough memory or disk."""

    exit_code = 4


class EngineError(BedsideError):
    """The engine process could not do what it was asked."""

    exit_code = 5


class CheckError(BedsideError):
    """A check did not hold: `doctor`, `models verify`, `report --budget`."""

    exit_code = 6


INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it (128 + SIGINT)."""
