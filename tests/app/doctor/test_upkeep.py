"""Limits, heat, clock and log, each from what it is given."""

from __future__ import annotations

import pytest

from app.doctor import upkeep

BUILT = 1_800_000_000


@pytest.mark.parametrize(
    ("controllers", "state"),
    [
        ("cpuset cpu io memory pids", "ok"),
        ("cpuset cpu io pids", "attention"),
        (None, "not checked"),
    ],
)
def test_a_kernel_that_counts_no_memory_is_told(controllers: str | None, state: str) -> None:
    check = upkeep.memory_groups(controllers)
    assert check.state == state
    assert state != "attention" or "apply boot-line" in check.advice


@pytest.mark.parametrize(
    ("zones", "state"),
    [([], "not checked"), ([41_200, 55_000], "ok"), ([40_000, 80_000], "attention")],
)
def test_heat(zones: list[int], state: str) -> None:
    assert upkeep.temperature(zones).state == state


@pytest.mark.parametrize(
    ("now", "built", "state"),
    [(BUILT + 5, BUILT, "ok"), (0.0, BUILT, "attention"), (BUILT, None, "not checked")],
)
def test_a_clock_before_the_release_was_built_is_wrong(
    now: float, built: int | None, state: str
) -> None:
    check = upkeep.clock(now, built)
    assert check.state == state and not check.essential
    assert state != "attention" or "1970-01-01" in check.found


@pytest.mark.parametrize(
    ("on_disk", "settings", "other", "state"),
    [
        (True, [], [], "attention"),
        (False, [], [], "ok"),
        (True, ["[Journal]\n#Storage=persistent\n", "[Journal]\nStorage=volatile\n"], [], "ok"),
        (False, ["[Journal]\nStorage = persistent\n"], [], "attention"),
        (True, ["Storage=volatile", "Storage=auto"], [], "attention"),
        (True, ["Storage=none"], ["/var/log/syslog"], "attention"),
    ],
)
def test_a_log_on_the_disk_is_told(
    on_disk: bool, settings: list[str], other: list[str], state: str
) -> None:
    check = upkeep.system_log(on_disk, True, settings, other)
    assert check.state == state
    assert all(path in check.found for path in other)


def test_no_log_at_all_is_not_green() -> None:
    assert upkeep.system_log(False, False, [], []).state == "not checked"
