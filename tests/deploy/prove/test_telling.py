"""What the proof says."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.prove.telling import CANNOT_SHOW, Telling


@pytest.mark.parametrize(("found", "verdict"), [(True, "held."), (False, "DID NOT HOLD")])
def test_the_log_ends_with_what_is_left_open(tmp_path: Path, found: bool, verdict: str) -> None:
    telling = Telling()
    telling.say("A step:")
    telling.holds("this", True)
    telling.holds("that", found, "because\nof it")
    telling.end()
    telling.keep(tmp_path / "log")
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[:4] == [
        "A step:",
        "  ok    this",
        f"  {'ok  ' if found else 'FAIL'}  that",
        "          because",
    ]
    assert lines[-1 - len(CANNOT_SHOW) : -1] == [f"  -  {line}" for line in CANNOT_SHOW]
    assert verdict in lines[-1]
    assert telling.failed is not found
