"""`python -m app.releases`, and that it needs the standard library alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import BadInputError
from app.releases.__main__ import host_of, main
from app.releases.host import Host
from app.releases.interruption import interruptible
from app.releases.layout import Layout
from app.releases.record import Change, Record, read_record, write_record
from app.releases.uninstall import uninstall
from tests.shared import ROOT

KEY = Change("file", "etc/bedside/allowed_signers")

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
    record = Record((KEY, Change("user", "bedside")), False, "pi5")
    write_record(layout, record)
    assert read_record(layout) == record
    assert record.with_change(KEY) == record
    assert record.without(KEY).names("file") == ()


@pytest.mark.parametrize(
    "foreign",
    [
        Change("file", "etc/passwd"),
        Change("file", "/etc/bedside/allowed_signers"),
        Change("link", "../victim"),
        Change("user", "root"),
        Change("enabled", "ssh.service"),
        Change("target", "--force"),
        Change("offer", "../../x"),
    ],
)
def test_a_record_of_what_is_not_bedsides(host: Host, foreign: Change) -> None:
    """The uninstaller removes what the record names."""
    write_record(host.layout, Record((KEY, foreign)))
    with pytest.raises(BadInputError, match="not of the right form"):
        uninstall(host, keep_data=False)
    assert host.layout.changes.exists()


def test_a_terminal_that_goes_away_ends_nothing(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        here = host_of(host.layout)
        here.tell("Starting bedside-kiosk.service.")
        here.tell("Bedside 1.0.0 runs again.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_only_the_first_signal_interrupts(number: signal.Signals) -> None:
    outer, before = signal.getsignal(number), signal.default_int_handler
    signal.signal(number, before)  # under nohup it would be ignored
    ended = False
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            signal.raise_signal(signal.SIGHUP)
            ended = True
    after = signal.signal(number, outer)
    assert ended
    assert after is before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
