"""What a command says where it keeps a person waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.edge import tell

_PATIENCE_S = 1.0


def while_hashing(clock: Callable[[], float] = time.monotonic) -> Callable[[int], None]:
    """Gets told of the bytes of a model as they are hashed, and says so once if it lasts.

    Some gigabytes on a card take a minute, in which nothing else is to be seen yet.
    """
    began = clock()
    told = False

    def progress(_read: int) -> None:
        nonlocal told
        if not told and clock() - began > _PATIENCE_S:
            told = True
            tell("Checking the model's file, once for each file.")

    return progress
