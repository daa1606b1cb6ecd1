"""The systemd units: every line that holds something, one by one, and the score of them all.

The score alone proves little: without ProtectSystem it rises by a tenth.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared import ROOT

DEPLOY = ROOT / "deploy"
PI = DEPLOY / "pi5/bedside-kiosk.service"
ORIN = DEPLOY / "jetson/bedside-kiosk.service"
IN_X = DEPLOY / "jetson/x-screen.conf"
X = DEPLOY / "jetson/bedside-x.service"
RESCUE = DEPLOY / "systemd/bedside-rescue.service"

KIOSKS = (PI, ORIN)
LOOSEST = 1.5
"""What `systemd-analyze security` may say of a kiosk."""

WALLS = """
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateNetwork=yes
IPAddressDeny=any
RestrictAddressFamilies=AF_UNIX
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateIPC=yes
PrivateMounts=yes
RemoveIPC=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
UMask=0077
DevicePolicy=closed
LimitCORE=0
MemorySwapMax=0
User=bedside
Group=bedside
StateDirectoryMode=0700
CacheDirectoryMode=0700
""".splitlines()[1:]
LIVES = """
Type=notify
WatchdogSec=30
Restart=always
OOMPolicy=continue
TimeoutStartSec=180
""".splitlines()[1:]
CONSOLE = """
StandardInput=tty-force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/tty1
TTYReset=yes
TTYVHangup=yes
TTYVTDisallocate=yes
DeviceAllow=/dev/tty1 rw
NotifyAccess=main
""".splitlines()[1:]
TOO_MUCH = ("PrivateDevices", "PrivateUsers", "ProtectProc", "ProcSubset", "UtmpIdentifier")
"""Each would hide what the screen needs: sensors, groups, its own engine, /proc/meminfo."""


def lines(path: Path, section: str = "Service") -> list[str]:
    """The settings of a section, in order; a unit may give a name more than once."""
    return [line for name, line in _settings(path) if name == section]


def _settings(path: Path) -> Iterator[tuple[str, str]]:
    section = ""
    for line in path.read_text().replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped[1:-1]
        elif stripped and stripped[0] not in "#;":
            yield section, stripped


@pytest.mark.parametrize("path", KIOSKS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("line", [*WALLS, *LIVES])
def test_every_kiosk_has(path: Path, line: str) -> None:
    assert lines(path).count(line) == 1


@pytest.mark.parametrize("path", KIOSKS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("line", CONSOLE)
def test_on_a_console_the_screen_is_the_terminals_alone(path: Path, line: str) -> None:
    assert line in lines(path)


@pytest.mark.parametrize("path", KIOSKS, ids=lambda path: path.parent.name)
def test_nothing_hides_the_sensors_and_no_name_is_entered_in_utmp(path: Path) -> None:
    assert not [line for line in lines(path) if line.split("=")[0] in TOO_MUCH]


@pytest.mark.parametrize("path", KIOSKS, ids=lambda path: path.parent.name)
def test_it_starts_the_current_release_as_a_kiosk_and_gives_up_in_words(path: Path) -> None:
    (start,) = [line for line in lines(path) if line.startswith("ExecStart=")]
    assert "/opt/bedside/current/venv/bin/bedside --kiosk" in start
    assert "OnFailure=bedside-rescue.service" in lines(path, "Unit")
    assert lines(path, "Install") == ["WantedBy=multi-user.target"]
    groups = "video" if path == PI else "video render"
    assert f"SupplementaryGroups={groups}" in lines(path)


@pytest.mark.parametrize("path", KIOSKS, ids=lambda path: path.parent.name)
def test_no_login_shares_its_console(path: Path) -> None:
    assert "Conflicts=getty@tty1.service" in lines(path, "Unit")


def test_the_pi_reads_its_firmware_and_has_the_walls_that_cuda_does_not_bear() -> None:
    assert {"DeviceAllow=/dev/vcio rw", "DeviceAllow=/dev/vcio_gencmd rw"} <= set(lines(PI))
    assert {"MemoryDenyWriteExecute=yes", "SystemCallFilter=~@resources"} <= set(lines(PI))


def test_the_orin_opens_its_gpu() -> None:
    opened = {line for line in lines(ORIN) if line.startswith("DeviceAllow")}
    assert "DeviceAllow=/dev/nvmap rw" in opened, "without it cuInit says 999"
    assert "DeviceAllow=/dev/dri/renderD128 rw" in opened, "without it cuInit says 801"
    assert "DeviceAllow=/dev/nvgpu/igpu0/ctrl rw" in opened


def test_in_x_the_walls_stay_and_the_signs_of_life_come_from_the_terminals_child() -> None:
    found = lines(IN_X)
    assert {"NotifyAccess=all", "BindReadOnlyPaths=/tmp/.X11-unix", "TTYVHangup=no"} <= set(found)
    assert "BindsTo=bedside-x.service" in lines(IN_X, "Unit")
    names = {line.split("=")[0] for line in found}
    walls = {line.split("=")[0] for line in WALLS} - {"SystemCallFilter"}
    assert not names & walls
    assert "SystemCallFilter=@setuid" in found
    start = [line for line in found if line.startswith("ExecStart=")]
    assert start[0] == "ExecStart=" and "bedside --kiosk" in start[1]


def test_the_x_server_listens_to_who_has_the_key_and_to_no_network() -> None:
    (start,) = [line for line in lines(X) if line.startswith("ExecStart=")]
    assert "-auth /run/bedside-x/key" in start and "-nolisten tcp" in start
    assert {"PrivateNetwork=yes", "RuntimeDirectoryMode=0750", "Group=bedside"} <= set(lines(X))


def test_the_x_servers_key_is_what_x_reads(tmp_path: Path) -> None:
    (make,) = [line for line in lines(X) if line.startswith("ExecStartPre=")]
    script = make.split("'")[1].replace("\\\\", "\\").replace("/run/bedside-x", str(tmp_path))
    subprocess.run(["sh", "-c", script], check=True)
    raw = (tmp_path / "key").read_bytes()
    fields, rest = [], raw[2:]
    while rest:
        length = int.from_bytes(rest[:2], "big")
        fields.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    assert raw[:2] == b"\xff\xff", "any host"
    assert fields[:3] == [b"", b"0", b"MIT-MAGIC-COOKIE-1"]
    assert len(fields) == 4 and len(fields[3]) == 16


def test_the_rescue_speaks_on_the_same_screen() -> None:
    (start,) = [line for line in lines(RESCUE) if line.startswith("ExecStart=")]
    assert "could not be started" in start and "emergency" in start and "rollback" in start
    assert "TTYPath=/dev/tty1" in lines(RESCUE)


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def score(path: Path) -> float:
    """What `systemd-analyze security` says of a unit, drop-ins beside it included."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    return float(done.stdout.strip().splitlines()[-1].split(":")[1].split()[0])


@needs_systemd
@pytest.mark.parametrize("path", [*KIOSKS, RESCUE], ids=lambda path: path.parent.name)
def test_systemd_calls_it_safe_enough(path: Path) -> None:
    assert score(path) <= LOOSEST


@needs_systemd
def test_systemd_calls_the_x_form_safe_enough(tmp_path: Path) -> None:
    unit = tmp_path / ORIN.name
    shutil.copy(ORIN, unit)
    alone = score(unit)
    beside = tmp_path / f"{unit.name}.d"
    beside.mkdir()
    shutil.copy(IN_X, beside / "50-x-screen.conf")
    assert alone < score(unit) <= LOOSEST, "the drop-in was read, and opens little"


@needs_systemd
@pytest.mark.parametrize(
    "path", [*KIOSKS, X, RESCUE], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_systemd_understands_every_line(path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = [line for line in done.stderr.splitlines() if path.name in line]
    assert all("is not executable" in line for line in said), said
