"""`python -m app.releases`, and that it needs the standard library alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.releases.__main__ import main
from app.releases.host import Host
from app.releases.layout import Layout
from app.releases.record import Change, Record, read_record, write_record
from tests.shared import ROOT

_ALONE = """import sys
sys.path.insert(0, sys.argv.pop(1))
import app.releases.__main__
known = {*sys.stdlib_module_names, "app"}
print(sorted(name for name in sys.modules if name.split(".")[0] not in known))
"""


def test_it_needs_the_standard_library_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _ALONE, str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['__main__']\n", "")


def test_only_root_changes_the_system(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["rollback"]) == 2
    assert "Put sudo in front of it" in capsys.readouterr().err


def test_a_refusal_is_one_sentence(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    prefix = f"--prefix={host.layout.root}"
    assert main(["rollback", prefix]) == 2
    assert "no release before this one" in capsys.readouterr().err
    assert main(["update", "/nowhere", prefix]) == 2
    assert "No key is pinned" in capsys.readouterr().err


def test_sweeping_removes_what_a_loss_of_power_left(host: Host) -> None:
    layout = host.layout
    for folder in (layout.incoming("1.0.0"), layout.release("1.0.0"), layout.models):
        folder.mkdir(parents=True)
    layout.model("00" * 32).touch()
    assert main(["sweep", f"--prefix={layout.root}"]) == 0
    assert not list(layout.releases.iterdir())
    assert not list(layout.models.iterdir())


def test_the_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert read_record(layout) == Record()
    record = Record((Change("file", "etc/x"), Change("user", "bedside")), False, "pi5")
    write_record(layout, record)
    assert read_record(layout) == record
    assert record.with_change(Change("file", "etc/x")) == record
    assert record.without(Change("file", "etc/x")).names("file") == ()
