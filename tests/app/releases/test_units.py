"""Units of a release in the system's folder, and the walls that an answer is asked for behind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from app.releases import bundle
from app.releases.host import Host
from app.releases.install import Wishes, install
from app.releases.smoke import walls
from app.releases.switching import rollback
from app.releases.units import services_of, shows_console, units_of
from tests.app.releases import bundles
from tests.app.releases.machines import FakeMachine
from tests.shared import ROOT

BOARDS = [path for path in (ROOT / "deploy/pi5", ROOT / "deploy/jetson") if path.is_dir()]


def stick(folder: Path, version: str, extra: dict[str, bytes]) -> Path:
    files = bundles.contents(version, b"GGUF") | extra
    return bundles.write(folder, bundles.manifest(version, files), files)


def installed(host: Host) -> None:
    first = stick(host.layout.root / "stick", "1.0.0", {})
    install(host, first, Wishes(signers=first / bundle.SIGNERS))


def test_units_follow_the_release(host: Host, tmp_path: Path) -> None:
    """New ones come and vanished ones go; what an administrator laid beside them stays."""
    installed(host)
    folder = host.layout.units
    (folder / "bedside-kiosk.service.d").mkdir()
    (folder / "bedside-kiosk.service.d/50-own.conf").write_text("[Service]\n")
    (folder / "bedside-of-mine.service").write_text("[Service]\n")
    wishes = folder / "multi-user.target.wants"
    (wishes / "cron.service").symlink_to("/lib/systemd/system/cron.service")
    own = {"bedside-kiosk.service.d/50-own.conf", "bedside-of-mine.service"}
    own.add("multi-user.target.wants/cron.service")
    first = {"bedside-kiosk.service", "bedside-rescue.service"}
    first.add("multi-user.target.wants/bedside-kiosk.service")
    second = first | {"bedside-new.timer", "bedside-kiosk.service.d/20-cuda.conf"}
    extra = {f"units/{name}": b"[Service]\nNice=1\n" for name in second - first}
    install(host, stick(tmp_path / "stick", "1.0.1", extra), Wishes())

    def found() -> set[str]:
        files = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
        return {str(path.relative_to(folder)) for path in files}

    assert found() == second | own
    rollback(host)
    assert found() == first | own


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemctl is not installed here")
def test_systemd_takes_the_links_for_what_they_are(host: Host) -> None:
    installed(host)
    told = {
        name: subprocess.run(
            ["systemctl", f"--root={host.layout.root}", "is-enabled", f"bedside-{name}.service"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        for name in ("kiosk", "rescue")
    }
    assert told == {"kiosk": "enabled", "rescue": "linked"}


def test_the_drop_ins_of_a_release_are_walls_too(
    host: Host, machine: FakeMachine, tmp_path: Path
) -> None:
    installed(host)
    extra = {"units/bedside-kiosk.service.d/20-cuda.conf": b"[Service]\nEnvironment=A=b\n"}
    install(host, stick(tmp_path / "stick", "1.0.1", extra), Wishes())
    asked = [call for call in machine.calls if call[0] == "systemd-run"][-1]
    assert "--property=Environment=A=b" in asked
    assert "--property=ProtectSystem=strict" in asked


def test_only_what_is_bedsides_is_a_unit(tmp_path: Path) -> None:
    names = (
        "bedside-a.service",
        "sshd.service",
        "bedside.sh",
        "bedside-b.service.d/x.conf",
        "x.conf",
    )
    for name in names:
        path = tmp_path / "units/inner" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[Install]\nWantedBy=multi-user.target\n")
    assert set(units_of(tmp_path)) == {"bedside-a.service", "bedside-b.service.d/x.conf"}
    assert services_of(tmp_path) == ("bedside-a.service",)


def test_walls_are_what_is_neither_start_nor_screen() -> None:
    unit = "[Unit]\nA=b\n[Service]\nType=notify\n#No=1\n;No=2\nUser=x\nDeviceAllow=\\\n /dev/a rw\n"
    unit += (
        "ExecStart=/x\nRestart=always\nTTYPath=/dev/tty1\nEnvironment=A=%S/b%%\n[Install]\nB=c\n"
    )
    assert list(walls(unit)) == ["User=x", "DeviceAllow=/dev/a rw", "Environment=A=/var/lib/b%"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_the_shipped_kiosk_gives_its_walls(board: Path) -> None:
    """Against a list written by hand: what must hold for the answer as for the kiosk."""
    kiosk = (board / "bedside-kiosk.service").read_text()
    found = list(walls(kiosk))
    for wall in (
        "User=bedside",
        "PrivateNetwork=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged",
        "DevicePolicy=closed",
        "StateDirectory=bedside",
    ):
        assert wall in found
    assert not any("%" in wall.replace("90%", "") for wall in found), "a specifier is left"
    names = {wall.split("=")[0] for wall in found}
    assert not names & {"ExecStart", "Type", "TTYPath", "WatchdogSec", "StandardInput", "Restart"}


@pytest.mark.parametrize(
    ("buffers", "console", "shown"),
    [
        ("0 tegradrmfb\n", "(M) frame buffer device\n", True),
        ("", "(M) frame buffer device\n", False),
        ("0 tegradrmfb\n", "(S) dummy device\n", False),
        (None, None, False),
    ],
)
def test_whether_the_console_shows_a_picture(
    tmp_path: Path, buffers: str | None, console: str | None, shown: bool
) -> None:
    for path, text in {"proc/fb": buffers, "sys/class/vtconsole/vtcon1/name": console}.items():
        if text is not None:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
    assert shows_console(tmp_path) is shown
