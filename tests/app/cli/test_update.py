"""`bedside update` and `bedside rollback` belong to a release that a bundle installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.cli.update import installed_layout, rollback, update
from app.errors import UsageError


@pytest.mark.parametrize("root", ["", "/mnt/board"])
def test_the_installation_is_the_programs_own(root: str) -> None:
    found = installed_layout(f"{root}/opt/bedside/releases/1.0.0/venv")
    assert found.root == Path(root or "/")


@pytest.mark.parametrize("prefix", ["/usr", "/srv/checkout/.venv", "/opt/bedside/venv"])
def test_elsewhere_there_is_nothing_to_update(prefix: str) -> None:
    with pytest.raises(UsageError, match="not installed from a bundle"):
        installed_layout(prefix)


def test_both_act_on_that_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "opt/bedside/releases/1.0.0/venv"))
    with pytest.raises(UsageError, match="No key is pinned"):
        update(tmp_path / "stick")
    with pytest.raises(UsageError, match="no release before this one"):
        rollback()
