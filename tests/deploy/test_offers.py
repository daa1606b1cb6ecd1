"""The offers against a fake root: each does what it says, and `undo` leaves the root as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shared import ROOT

SCRIPT = ROOT / "deploy/privacy/offers.sh"
PI_ID = b"Raspberry Pi 5 Model B Rev 1.0\0"
ORIN_ID = b"NVIDIA Jetson Orin Nano Developer Kit\0"

SYSTEMCTL = """# A unit exists where its name is in the list; a masked one is noted.
root=${1#--root=}; shift; verb=$1; shift
[ "$1" = --quiet ] && shift
case $verb in
    is-enabled) [ -e "$root/masked/$1" ] && echo masked && exit 1
        grep -qx "$1" "$root/units" && echo enabled || { echo not-found; exit 4; } ;;
    mask) mkdir -p "$root/masked"; : >"$root/masked/$1" ;;
    unmask) rm -f "$root/masked/$1"; rmdir "$root/masked" 2>/dev/null || : ;;
    *) echo "unexpected: $verb" >&2; exit 9 ;;
esac
"""

UNITS = "avahi-daemon.service ssh.service getty@tty1.service ctrl-alt-del.target gdm3.service"
FSTAB = "# /etc/fstab\n/dev/mmcblk0p3 none swap sw 0 0\nPARTUUID=1-02 / ext4 defaults 0 1\n"
CMDLINE = "console=tty1 root=PARTUUID=1-02 quiet\n"


class Board:
    """A folder that stands in for a board's root."""

    def __init__(self, root: Path, model: bytes) -> None:
        self.root = root / "root"
        self.kept = self.root / "etc/bedside/offers"
        self.commands = root / "bin"
        self.commands.mkdir()
        self.command("systemctl", SYSTEMCTL)
        path = f"{self.commands}:{os.environ['PATH']}"
        self.environ = {"PATH": path, "BEDSIDE_ROOT": str(self.root)}
        self.put("proc/device-tree/model", model)
        self.put("units", "\n".join(UNITS.split()).encode() + b"\n")
        self.put("etc/fstab", FSTAB.encode())
        self.put("etc/rpi/swap.conf", b"[Main]\nMechanism=auto\n")
        self.put("etc/default/console-setup", b"FONTFACE=Fixed\n")
        self.put("usr/share/consolefonts/Uni2-Terminus32x16.psf.gz", b"")
        if model == PI_ID:
            self.put("boot/firmware/cmdline.txt", CMDLINE.encode())
            self.put("boot/firmware/config.txt", b"[pi5]\narm_boost=1\n")
        else:
            for program in ("X", "xterm"):
                self.put(f"usr/bin/{program}", b"")
                (self.root / "usr/bin" / program).chmod(0o755)

    def command(self, name: str, script: str) -> None:
        """A stand-in for a program."""
        (self.commands / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.commands / name).chmod(0o755)

    def put(self, path: str, content: bytes) -> None:
        """Write a file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def text(self, path: str) -> str:
        """Read one."""
        return (self.root / path).read_text()

    def run(self, *arguments: str, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        return subprocess.run(
            ["sh", str(script), *arguments],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=30,
        )

    def apply(self, offer: str) -> str:
        """Take an offer; what it said."""
        done = self.run("apply", offer)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def masked(self) -> set[str]:
        """The units that start no more."""
        folder = self.root / "masked"
        return {path.name for path in folder.iterdir()} if folder.exists() else set()

    def snapshot(self) -> dict[str, bytes]:
        """Every file."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}


@pytest.fixture
def pi(tmp_path: Path) -> Board:
    return Board(tmp_path, PI_ID)


@pytest.fixture
def orin(tmp_path: Path) -> Board:
    return Board(tmp_path, ORIN_ID)


def offers(board: Board) -> dict[str, str]:
    """Id and sentence of what is offered on a board."""
    listed = board.run("list").stdout.splitlines()
    return dict(line.split("\t") for line in listed)


def test_a_board_is_offered_what_it_can_take_and_told_what_changes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    pi, orin = offers(Board(tmp_path / "a", PI_ID)), offers(Board(tmp_path / "b", ORIN_ID))
    assert set(pi) ^ set(orin) == {"boot-line", "screen"}
    assert {"swap", "core-dumps", "listeners", "radios", "logs"} <= set(pi) & set(orin)
    assert all(sentence.endswith(".") and len(sentence) > 40 for sentence in pi.values())


@pytest.mark.parametrize(
    "offer",
    [
        "swap",
        "core-dumps",
        "listeners",
        "ssh",
        "radios",
        "logs",
        "font",
        "consoles",
        "keys",
        "boot-line",
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_undo_leaves_a_pi_as_it_was(pi: Board, offer: str, times: int) -> None:
    before = pi.snapshot()
    for _ in range(times):
        pi.apply(offer)
    assert pi.snapshot() != before, "it did something"
    done = pi.run("undo", offer)
    assert done.returncode == 0, done.stderr
    assert pi.snapshot() == before
    assert not (pi.root / "etc/bedside").exists() or not list((pi.root / "etc/bedside").iterdir())


def test_no_memory_goes_to_a_disk(pi: Board) -> None:
    said = pi.apply("swap")
    assert "Mechanism=zram" in pi.text("etc/rpi/swap.conf.d/90-bedside.conf")
    assert pi.text("etc/fstab").splitlines()[1].startswith("#bedside# /dev/mmcblk0p3")
    assert pi.text("etc/fstab").splitlines()[2] == FSTAB.splitlines()[2]
    assert "/etc/fstab" in said


def test_a_crash_writes_nothing(pi: Board) -> None:
    pi.apply("core-dumps")
    assert "core_pattern = |/bin/false" in pi.text("etc/sysctl.d/90-bedside-core.conf")
    assert "Storage=none" in pi.text("etc/systemd/coredump.conf.d/90-bedside.conf")


def test_what_listens_is_switched_off_and_ssh_only_when_asked(pi: Board) -> None:
    assert "avahi-daemon.service" in pi.apply("listeners")
    assert pi.masked() == {"avahi-daemon.service"}
    pi.apply("ssh")
    assert pi.masked() == {"avahi-daemon.service", "ssh.service"}


def test_the_radios_are_off_in_the_firmware_too(pi: Board) -> None:
    pi.apply("radios")
    pi.apply("radios")
    config = pi.text("boot/firmware/config.txt")
    assert config.startswith("[pi5]\narm_boost=1\n")
    assert config.count("dtoverlay=disable-wifi") == config.count("dtoverlay=disable-bt") == 1


def test_the_boot_line_stays_one_line_and_repeats_no_word(pi: Board) -> None:
    pi.apply("boot-line")
    line = pi.text("boot/firmware/cmdline.txt")
    assert line.count("\n") == 1 and line.startswith(CMDLINE.rstrip())
    assert line.split().count("quiet") == 1
    assert line.split()[-1] == "cgroup_enable=memory"


def test_logs_consoles_keys_and_font(pi: Board) -> None:
    for offer in ("logs", "consoles", "keys", "font"):
        pi.apply(offer)
    assert "Storage=volatile" in pi.text("etc/systemd/journald.conf.d/90-bedside.conf")
    assert "ReserveVT=2" in pi.text("etc/systemd/logind.conf.d/90-bedside.conf")
    assert {"getty@tty1.service", "ctrl-alt-del.target"} == pi.masked()
    assert 'FONTSIZE="16x32"' in pi.text("etc/default/console-setup")


def test_undo_all_undoes_all(pi: Board) -> None:
    before = pi.snapshot()
    for offer in offers(pi):
        pi.apply(offer)
    assert pi.run("undo", "all").returncode == 0
    assert pi.snapshot() == before


def test_a_file_that_was_edited_since_is_left_and_said(pi: Board) -> None:
    pi.apply("boot-line")
    pi.put("boot/firmware/cmdline.txt", b"mine\n")
    done = pi.run("undo", "boot-line")
    assert done.returncode == 1 and "was edited since" in done.stderr
    assert pi.text("boot/firmware/cmdline.txt") == "mine\n"


def test_undo_all_goes_on_past_what_was_edited_since(pi: Board) -> None:
    for offer in ("boot-line", "keys", "logs"):
        pi.apply(offer)
    pi.put("boot/firmware/cmdline.txt", b"mine\n")
    pi.put("etc/sysctl.d/90-bedside-keys.conf", b"kernel.sysrq = 1\n")
    done = pi.run("undo", "all")
    assert done.returncode == 1
    assert done.stderr.count("was edited since") == 2
    assert pi.masked() == set()
    assert not (pi.root / "etc/systemd/journald.conf.d/90-bedside.conf").exists()
    assert sorted(path.name for path in pi.kept.iterdir()) == ["boot-line", "keys"]


def test_an_edited_file_that_somebody_settled_as_they_were_told_is_theirs(pi: Board) -> None:
    pi.apply("boot-line")
    pi.put("boot/firmware/cmdline.txt", b"mine\n")
    said = pi.run("undo", "boot-line").stderr
    old = pi.kept / "boot-line/files/boot/firmware/cmdline.txt"
    assert f"remove {old} " in said
    old.unlink()
    assert pi.run("undo", "boot-line").returncode == 0
    assert pi.text("boot/firmware/cmdline.txt") == "mine\n"
    assert not pi.kept.exists()


def test_a_unit_that_cannot_be_switched_on_is_not_forgotten(pi: Board) -> None:
    before = pi.snapshot()
    pi.apply("keys")
    pi.command("systemctl", "exit 1")
    assert pi.run("undo", "all").returncode == 1
    assert pi.masked() == {"ctrl-alt-del.target"}
    assert not (pi.root / "etc/sysctl.d/90-bedside-keys.conf").exists()
    pi.command("systemctl", SYSTEMCTL)
    assert pi.run("undo", "keys").returncode == 0
    assert pi.snapshot() == before


def test_a_power_cut_before_the_file_is_in_its_place_can_be_undone(pi: Board) -> None:
    before = pi.snapshot()
    pi.apply("boot-line")
    pi.put("boot/firmware/cmdline.txt", CMDLINE.encode())  # noted, and then the power went away
    assert pi.run("undo", "boot-line").returncode == 0
    assert pi.snapshot() == before


@pytest.mark.parametrize("at_once", [True, False])
def test_a_power_cut_while_the_old_file_is_kept_loses_nothing_of_it(
    pi: Board, at_once: bool
) -> None:
    before = pi.snapshot()
    pi.command("cp", 'for to; do :; done; echo con >"$to"; kill -9 $PPID')
    assert pi.run("apply", "boot-line").returncode != 0
    assert pi.text("boot/firmware/cmdline.txt") == CMDLINE
    (pi.commands / "cp").unlink()
    if at_once:
        assert pi.run("undo", "boot-line").returncode == 0
        assert pi.snapshot() == before
    pi.apply("boot-line")
    assert pi.run("undo", "boot-line").returncode == 0
    assert pi.snapshot() == before


def test_on_an_orin_whose_console_shows_a_picture_nothing_changes(orin: Board) -> None:
    orin.put("sys/class/vtconsole/vtcon1/name", b"(M) frame buffer device\n")
    orin.put("proc/fb", b"0 tegra-drmfb\n")
    before = orin.snapshot()
    assert "shows a picture" in orin.apply("screen")
    assert orin.snapshot() == before


@pytest.mark.parametrize("beside", [True, False])
def test_on_an_orin_without_a_picture_the_x_form_is_laid_beside_the_unit(
    orin: Board, tmp_path: Path, beside: bool
) -> None:
    """As it lies in the repository, and as it lies in a bundle."""
    script = tmp_path / "units/privacy/offers.sh" if beside else SCRIPT
    if beside:
        script.parent.mkdir(parents=True)
        shutil.copy(SCRIPT, script)
        shutil.copy(ROOT / "deploy/jetson/x-screen.conf", tmp_path / "units/x-screen.conf")
    orin.put("sys/class/vtconsole/vtcon0/name", b"(S) dummy device\n")
    before = orin.snapshot()
    done = orin.run("apply", "screen", script=script)
    assert done.returncode == 0, done.stderr
    form = orin.text("etc/systemd/system/bedside-kiosk.service.d/50-x-screen.conf")
    assert form == (ROOT / "deploy/jetson/x-screen.conf").read_text()
    assert orin.masked() == {"gdm3.service"}
    assert orin.run("undo", "screen").returncode == 0
    assert orin.snapshot() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("apply", "everything"), "no offer everything"),
        (("undo", "swap"), "was not taken"),
        (("apply",), "Usage"),
        ((), "Usage"),
        (("apply", "screen"), "for a Jetson"),
    ],
)
def test_wrong_use_changes_nothing_and_is_told(
    pi: Board, arguments: tuple[str, ...], words: str
) -> None:
    before = pi.snapshot()
    done = pi.run(*arguments)
    assert done.returncode == 1 and words in done.stderr
    assert pi.snapshot() == before


def test_a_missing_program_is_named(orin: Board) -> None:
    (orin.root / "usr/bin/xterm").unlink()
    assert "xterm is missing" in orin.run("apply", "screen").stderr
    assert not (orin.root / "etc/bedside/offers").exists()


def test_a_missing_font_is_named(pi: Board) -> None:
    (pi.root / "usr/share/consolefonts/Uni2-Terminus32x16.psf.gz").unlink()
    assert "console-setup" in pi.run("apply", "font").stderr


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_a_plain_shell_reads_it(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command = [shell, "sh"] if shell == "busybox" else [shell]
    assert subprocess.run([*command, "-n", str(SCRIPT)], timeout=30).returncode == 0


def test_shellcheck_has_no_complaint() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", "-s", "sh", str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
