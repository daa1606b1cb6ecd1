"""Offers: listed, taken one by one, recorded, and taken back by the uninstaller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app.errors import ResourceError
from app.releases import bundle
from app.releases.commands import Outcome, run
from app.releases.host import Host
from app.releases.install import Wishes, install
from app.releases.offers import IN_X, offers, take_offers
from app.releases.record import read_record
from app.releases.uninstall import uninstall
from tests.app.releases import bundles
from tests.app.releases.machines import FakeMachine
from tests.shared import ROOT

SCRIPT = """#!/bin/sh
kept=$BEDSIDE_ROOT/etc/bedside/offers
case $1 in
    list) printf 'swap\\tNothing is swapped.\\nradios\\tNo radios.\\nbroken\\tFails.\\n' ;;
    apply) [ "$2" != broken ] || { echo "It cannot be done." >&2; exit 1; }
        mkdir -p "$kept/$2"; touch "$BEDSIDE_ROOT/$2" ;;
    undo) rm "$BEDSIDE_ROOT/$2"; rmdir -p "$kept/$2" 2>/dev/null || : ;;
esac
"""


class WithShell(FakeMachine):
    """Runs scripts for real."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        seconds: float = 60,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        if command[0] == "sh":
            return run(command, environment=environment)
        return super().__call__(command, stdin=stdin, seconds=seconds, environment=environment)


@pytest.fixture
def machine() -> FakeMachine:
    return WithShell()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def installed(host: Host, told: list[str]) -> Host:
    host = dataclasses.replace(host, tell=told.append)
    put(host, "pi5", SCRIPT)
    return host


def put(host: Host, board: str, script: str) -> None:
    files = bundles.contents("1.0.0") | {"units/privacy/offers.sh": script.encode()}
    described = bundles.manifest("1.0.0", files, board)
    stick = bundles.write(host.layout.root / "stick", described, files)
    install(host, stick, Wishes(signers=stick / bundle.SIGNERS))


def test_they_are_listed(installed: Host) -> None:
    found = offers(installed, installed.layout.current)
    assert found == {"swap": "Nothing is swapped.", "radios": "No radios.", "broken": "Fails."}
    assert offers(installed, Path("/nowhere")) == {}


def test_what_is_taken_is_recorded_and_taken_back(installed: Host, told: list[str]) -> None:
    root, current = installed.layout.root, installed.layout.current
    take_offers(installed, current, lambda name, _: name != "radios")
    assert (root / "swap").exists()
    assert not (root / "radios").exists()
    assert read_record(installed.layout).names("offer") == ("swap",)
    assert any("Not changed" in line and "It cannot be done" in line for line in told)
    take_offers(
        installed, current, lambda name, _: pytest.fail("asked twice") if name == "swap" else False
    )
    uninstall(installed, keep_data=False)
    assert not (root / "swap").exists()


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_what_was_done_by_hand_is_met(installed: Host, verb: str) -> None:
    root, current = installed.layout.root, installed.layout.current
    take_offers(installed, current, lambda name, _: name == "swap")
    script = ["sh", str(current / "units/privacy/offers.sh"), verb]
    name = {"apply": "radios", "undo": "swap"}[verb]
    assert run([*script, name], environment={"BEDSIDE_ROOT": str(root)}).ok
    uninstall(installed, keep_data=True)
    assert not (root / "swap").exists()
    assert not (root / "radios").exists()
    assert not (root / "etc/bedside").exists()


def test_a_script_that_fails_is_said(installed: Host) -> None:
    script = installed.layout.current / "units/privacy/offers.sh"
    script.write_text("echo Broken. >&2; exit 1\n")
    with pytest.raises(ResourceError, match=r"`list` failed: Broken\."):
        offers(installed, installed.layout.current)


def test_the_shipped_script_is_understood(host: Host) -> None:
    put(host, "pi5", (ROOT / "deploy/privacy/offers.sh").read_text())
    root, current = host.layout.root, host.layout.current
    assert {"swap", "radios"} <= set(offers(host, current))
    (root / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert IN_X in offers(host, current)
    take_offers(host, current, lambda name, _: name == "logs")
    written = root / "etc/systemd/journald.conf.d/90-bedside.conf"
    assert "Storage=volatile" in written.read_text()
    uninstall(host, keep_data=False)
    assert not written.exists()


@pytest.mark.parametrize("shown", [True, False])
def test_an_orin_without_a_picture_gets_the_x_form(
    host: Host, machine: FakeMachine, shown: bool
) -> None:
    root = host.layout.root
    (root / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    if shown:
        (root / "sys/class/vtconsole/vtcon1").mkdir(parents=True)
        (root / "sys/class/vtconsole/vtcon1/name").write_text("(M) frame buffer device\n")
        (root / "proc/fb").write_text("0 tegradrmfb\n")
    put(host, "orin-nano", SCRIPT.replace("swap", "screen"))
    assert (root / "screen").exists() is not shown


def test_a_failed_installation_takes_it_back(host: Host, machine: FakeMachine) -> None:
    (host.layout.root / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson Orin Nano\0")
    machine.dead.add("1.0.0")
    with pytest.raises(Exception, match="does not start"):
        put(host, "orin-nano", SCRIPT.replace("swap", "screen"))
    assert not (host.layout.root / "screen").exists()
    assert not host.layout.opt.exists()


def test_a_desktop_makes_room_and_comes_back(host: Host, machine: FakeMachine) -> None:
    machine.target = "graphical.target"
    put(host, "pi5", SCRIPT)
    assert "set-default multi-user.target" in machine.said_to_systemd()
    uninstall(host, keep_data=False)
    assert "set-default graphical.target" in machine.said_to_systemd()
