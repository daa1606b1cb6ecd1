"""A board in a folder, which the real processor of the test machine is not asked about."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from app.releases.host import Host
from tests.app.releases.machines import FakeMachine, make_board, make_host


@pytest.fixture(autouse=True)
def _an_arm_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(os, "sync", lambda: None)  # of the whole test machine: it takes seconds
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def machine() -> FakeMachine:
    """The programs of the board."""
    return FakeMachine()


@pytest.fixture
def host(tmp_path: Path, machine: FakeMachine) -> Host:
    """A bare board."""
    return make_host(make_board(tmp_path / "board"), machine)
