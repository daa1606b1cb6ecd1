"""Where the stages of a long command work: the cache, the threads, and bars on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from converter.stages import Workshop


def workshop(cache: Path | None, threads: int) -> Workshop:
    """A workshop with the user's cache where none is named and a thread a CPU where it says 0."""
    from app.boards.detect import cores
    from converter.cache import Cache, default_cache
    from converter.cli.progress import progress_bar
    from converter.stages import Workshop

    return Workshop(
        Cache(cache or default_cache()), threads or cores(), lambda label: progress_bar(label, 1)
    )
