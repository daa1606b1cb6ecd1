"""Work counted in lines of Python run: the same on a busy machine, where a clock is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of Python a call runs. What C does within one (a regex) is not seen."""
    lines = 0

    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return local

    earlier = sys.gettrace()
    sys.settrace(local)
    try:
        call()
    finally:
        sys.settrace(earlier)
    return lines
