"""Installing, updating and going back, on a board in a folder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import BadInputError, BedsideError, CheckError, ResourceError, UsageError
from app.releases import bundle
from app.releases.host import Host
from app.releases.install import Wishes, install
from app.releases.lock import locked
from app.releases.record import read_record
from app.releases.switching import rollback
from app.releases.uninstall import uninstall
from tests.app.releases import bundles
from tests.app.releases.machines import FakeMachine, auxv, environment_of, make_board, make_host


def first(host: Host, tmp_path: Path, version: str = "1.0.0") -> str:
    """Installs as install.sh does: with a key that none is pinned beside."""
    stick = bundles.make(tmp_path / f"stick-{version}", version)
    return install(host, stick, Wishes(signers=stick / bundle.SIGNERS))


def later(host: Host, tmp_path: Path, version: str, model: bytes = b"GGUF 2") -> str:
    """Updates from a stick."""
    stick = bundles.make(tmp_path / f"stick-{version}", version, model=model)
    return install(host, stick, Wishes())


def tree(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, with its content."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def check_release(host: Host, version: str) -> None:
    """The release is all there."""
    release = host.layout.release(version)
    for path, content in environment_of(version).items():
        if not path.endswith(".toml"):
            assert (release / "venv" / path).read_text() == content
    model = release / "venv/share/bedside/models" / Path(bundles.MODEL).name
    assert model.is_symlink()
    assert model.read_bytes().startswith(b"GGUF")
    assert 'default = "toy-1m"' in (model.parent / "catalog.toml").read_text()


def test_a_first_installation(host: Host, machine: FakeMachine, tmp_path: Path) -> None:
    layout = host.layout
    assert first(host, tmp_path) == "1.0.0"
    assert layout.pointed(layout.current) == "1.0.0"
    assert layout.pointed(layout.previous) is None
    check_release(host, "1.0.0")
    assert [path.name for path in layout.releases.iterdir()] == ["1.0.0"]
    assert layout.command.readlink() == layout.current / "venv/bin/bedside"
    assert layout.signers.read_bytes() == bundles.contents("1.0.0")[bundle.SIGNERS]
    kiosk = layout.units / "bedside-kiosk.service"
    assert kiosk.read_text() == bundles.KIOSK
    assert not kiosk.readlink().is_absolute()
    wish = layout.units / "multi-user.target.wants/bedside-kiosk.service"
    assert str(wish.readlink()) == "../bedside-kiosk.service"
    assert machine.said_to_systemd() == ["daemon-reload", "start bedside-kiosk.service"]


def test_the_answer_is_asked_for_behind_the_walls_of_the_service(
    host: Host, machine: FakeMachine, tmp_path: Path
) -> None:
    first(host, tmp_path)
    (asked,) = [call for call in machine.calls if call[0] == "systemd-run"]
    walls = [part.removeprefix("--property=") for part in asked if part.startswith("--property=")]
    assert walls == [
        "User=bedside",
        "ProtectSystem=strict",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged",
        "Environment=XDG_STATE_HOME=/var/lib TERM=linux",
        "CapabilityBoundingSet=",
    ]
    assert "ask" in asked
    assert any(part.endswith("/releases/1.0.0/venv/bin/python") for part in asked)


def test_updates_keep_exactly_two_releases(host: Host, tmp_path: Path) -> None:
    layout = host.layout
    first(host, tmp_path)
    for version in ("1.0.1", "1.1.0"):
        assert later(host, tmp_path, version, version.encode().join([b"GGUF ", b""])) == version
    assert layout.pointed(layout.current) == "1.1.0"
    assert layout.pointed(layout.previous) == "1.0.1"
    assert sorted(path.name for path in layout.releases.iterdir()) == ["1.0.1", "1.1.0"]
    assert len(list(layout.models.iterdir())) == 2
    check_release(host, "1.0.1")
    check_release(host, "1.1.0")


def test_rollback_goes_back_and_forth(host: Host, machine: FakeMachine, tmp_path: Path) -> None:
    layout = host.layout
    first(host, tmp_path)
    with pytest.raises(UsageError, match="no release before this one"):
        rollback(host)
    later(host, tmp_path, "1.0.1")
    for version, other in (("1.0.0", "1.0.1"), ("1.0.1", "1.0.0")):
        assert rollback(host) == version
        assert layout.pointed(layout.current) == version
        assert layout.pointed(layout.previous) == other
    assert machine.said_to_systemd()[-3:] == [
        "stop bedside-kiosk.service",
        "daemon-reload",
        "start bedside-kiosk.service",
    ]


@pytest.mark.parametrize(
    ("sickness", "sentence"),
    [
        ("mute", "could not answer a question \\(the engine failed\\)"),
        ("dead", "does not start"),
        ("falling", "started and stopped again"),
    ],
)
def test_a_sick_update_is_put_back(
    host: Host, machine: FakeMachine, tmp_path: Path, sickness: str, sentence: str
) -> None:
    first(host, tmp_path)
    later(host, tmp_path, "1.0.1")
    before = tree(host.layout.opt)
    getattr(machine, sickness).add("1.1.0")
    with pytest.raises(CheckError, match=f"{sentence}.*Bedside 1.0.1 runs again"):
        later(host, tmp_path, "1.1.0", b"GGUF of 1.1.0")
    assert tree(host.layout.opt) == before
    assert machine.said_to_systemd()[-1] == "start bedside-kiosk.service"


def test_a_rollback_to_a_sick_release_is_put_back(
    host: Host, machine: FakeMachine, tmp_path: Path
) -> None:
    first(host, tmp_path)
    later(host, tmp_path, "1.0.1")
    machine.dead.add("1.0.0")
    with pytest.raises(CheckError, match=r"1\.0\.0 is not well.*1\.0\.1 runs again"):
        rollback(host)
    assert host.layout.pointed(host.layout.current) == "1.0.1"
    assert host.layout.pointed(host.layout.previous) == "1.0.0"


def test_both_sick_is_said(host: Host, machine: FakeMachine, tmp_path: Path) -> None:
    first(host, tmp_path)
    later(host, tmp_path, "1.0.1")
    machine.dead |= {"1.0.0", "1.0.1"}
    with pytest.raises(CheckError, match="put back and is not well either"):
        rollback(host)
    assert host.layout.pointed(host.layout.current) == "1.0.1"


def test_a_sick_first_installation_leaves_nothing(
    host: Host, machine: FakeMachine, tmp_path: Path
) -> None:
    before = tree(host.layout.root)
    machine.dead.add("1.0.0")
    with pytest.raises(CheckError, match="does not start"):
        first(host, tmp_path)
    assert tree(host.layout.root) == before
    assert not host.layout.opt.exists()
    assert "stop bedside-kiosk.service" in machine.said_to_systemd()


def test_without_systemd_the_answer_stands_for_the_service(
    tmp_path: Path, machine: FakeMachine
) -> None:
    host = make_host(make_board(tmp_path / "board"), machine, systemd=False)
    first(host, tmp_path)
    machine.mute.add("1.0.1")
    with pytest.raises(CheckError, match=r"Bedside 1\.0\.0 runs again"):
        later(host, tmp_path, "1.0.1")
    assert not machine.said_to_systemd()
    assert not host.layout.units.exists()


def test_an_older_bundle(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path, "1.1.0")
    with pytest.raises(UsageError, match=r"1\.0\.0, older than 1\.1\.0.*--allow-downgrade"):
        later(host, tmp_path, "1.0.0")
    with pytest.raises(UsageError, match="installed already"):
        later(host, tmp_path, "1.1.0")
    assert install(host, tmp_path / "stick-1.0.0", Wishes(allow_downgrade=True)) == "1.0.0"
    with pytest.raises(UsageError, match="`bedside rollback` goes back to it"):
        install(host, tmp_path / "stick-1.1.0", Wishes())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("path", [*bundles.contents("1.0.1"), *bundle.UNLISTED])
def test_a_flipped_byte_in_any_file_is_refused(host: Host, tmp_path: Path, path: str) -> None:
    first(host, tmp_path)
    before = tree(host.layout.root)
    stick = bundles.make(tmp_path / "stick", "1.0.1")
    flip(stick / path)
    with pytest.raises(BadInputError):
        install(host, stick, Wishes())
    assert tree(host.layout.root) == before


Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda stick: (stick / "autorun.inf").touch(), "holds “autorun.inf”"),
        (lambda stick: (stick / "wheels/x").mkdir(), "holds “wheels/x”"),
        (lambda stick: os.mkfifo(stick / "wheels/pipe"), "holds “wheels/pipe”"),
        (lambda stick: (stick / "units/away").symlink_to("/etc"), "holds “units/away”"),
        (lambda stick: (stick / bundles.MODEL).unlink(), f"lacks {bundles.MODEL}"),
        (lambda stick: (stick / bundles.MODEL).write_bytes(b"GG"), "is damaged"),
        (lambda stick: (stick / bundle.SIGNATURE).write_bytes(b"forged"), "is not signed"),
        (lambda stick: (stick / bundle.MANIFEST).unlink(), "cannot be read"),
        (lambda stick: shutil.rmtree(stick), "There is no folder"),
    ],
)
def test_a_bundle_that_is_not_one(host: Host, tmp_path: Path, spoil: Spoil, sentence: str) -> None:
    first(host, tmp_path)
    before = tree(host.layout.root)
    stick = bundles.make(tmp_path / "stick", "1.0.1")
    spoil(stick)
    with pytest.raises(BadInputError, match=sentence):
        install(host, stick, Wishes())
    assert tree(host.layout.root) == before


def test_a_link_in_place_of_a_file(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    stick = bundles.make(tmp_path / "stick", "1.0.1")
    (stick / bundles.MODEL).rename(tmp_path / "elsewhere")
    (stick / bundles.MODEL).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInputError, match="does not belong to it"):
        install(host, stick, Wishes())


def test_a_bundle_for_the_other_board(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    stick = bundles.make(tmp_path / "stick", "1.0.1", board="orin-nano")
    with pytest.raises(UsageError, match=r"for a Jetson Orin Nano.*Raspberry Pi 5 Model B"):
        install(host, stick, Wishes())


def test_a_processor_without_dot_products(host: Host, tmp_path: Path) -> None:
    (host.layout.root / "proc/self/auxv").write_bytes(auxv(0b11))
    with pytest.raises(UsageError, match="lacks asimddp, asimdhp"):
        first(host, tmp_path)
    assert not host.layout.opt.exists()


def test_a_small_memory(host: Host, tmp_path: Path) -> None:
    (host.layout.root / "proc/meminfo").write_text("MemTotal:  1000000 kB\n")
    with pytest.raises(ResourceError, match=r"needs a board with 2\.0 GB"):
        first(host, tmp_path)


def test_two_installers_at_once(host: Host) -> None:
    with (
        locked(host.layout),
        pytest.raises(UsageError, match="Another installation"),
        locked(host.layout),
    ):
        pass
    with locked(host.layout):
        pass


def test_a_lock_that_an_uninstaller_has_just_taken_away(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opened it before and locks it afterwards holds a file that has no name."""
    real = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        host.layout.lock.unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(UsageError, match="Another installation"), locked(host.layout):
        pass


def test_a_stick_that_is_pulled_out(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first(host, tmp_path)
    before, real = tree(host.layout.root), os.read

    def pulled(descriptor: int, most: int) -> bytes:
        if Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".gguf":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, most)

    monkeypatch.setattr(os, "read", pulled)
    with pytest.raises(BadInputError, match=r"cannot be read.*the stick is in its place"):
        later(host, tmp_path, "1.0.1")
    assert tree(host.layout.root) == before


def test_a_folder_in_place_of_a_link(host: Host, machine: FakeMachine, tmp_path: Path) -> None:
    """It is said before the service is stopped."""
    first(host, tmp_path)
    later(host, tmp_path, "1.0.1")
    current = host.layout.current
    release = current.resolve()
    current.unlink()
    shutil.copytree(release, current, symlinks=True)
    machine.calls.clear()
    with pytest.raises(UsageError, match="current is a folder, where a link"):
        later(host, tmp_path, "1.1.0")
    with pytest.raises(UsageError, match="current is a folder, where a link"):
        rollback(host)
    assert not machine.calls
    assert release.is_dir()


def test_a_link_that_leads_nowhere(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    later(host, tmp_path, "1.0.1")
    shutil.rmtree(host.layout.current.resolve())
    assert later(host, tmp_path, "1.1.0") == "1.1.0"
    check_release(host, "1.1.0")


def test_a_note_that_rotted_does_not_bar_an_update(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    (host.layout.current / "release.json").write_bytes(b"\0" * 80)
    assert later(host, tmp_path, "1.0.1") == "1.0.1"
    assert later(host, tmp_path, "1.1.0") == "1.1.0"
    check_release(host, "1.0.1")
    assert len(list(host.layout.models.iterdir())) == 1


def test_a_key_that_others_could_have_written(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    host.layout.signers.chmod(0o666)
    with pytest.raises(BadInputError, match="written by others"):
        later(host, tmp_path, "1.0.1")


def test_an_update_without_an_installation(host: Host, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No key is pinned"):
        later(host, tmp_path, "1.0.1")


def test_the_key_of_the_stick_counts_only_once(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    pinned = host.layout.signers.read_bytes()
    later(host, tmp_path, "1.0.1")
    assert host.layout.signers.read_bytes() == pinned


@pytest.mark.parametrize("keep", [True, False])
def test_uninstalling_takes_back_every_change(host: Host, tmp_path: Path, keep: bool) -> None:
    before = tree(host.layout.root)
    first(host, tmp_path)
    later(host, tmp_path, "1.0.1")
    (host.layout.state / "conversation").write_text("kept words")
    (host.layout.settings / "config.toml").write_text("of a person")
    changes = json.loads(host.layout.changes.read_text())["changes"]
    assert {change["kind"] for change in changes.values()} == {"file", "link", "enabled"}
    uninstall(host, keep_data=keep)
    left = tree(host.layout.root)
    assert left.pop("var/lib/bedside/conversation", None) == ("kept words" if keep else None)
    assert left.pop("etc/bedside/config.toml", None) == ("of a person" if keep else None)
    assert left == before
    assert not read_record(host.layout).changes


def test_what_stands_in_place_of_the_command_is_left(host: Host, tmp_path: Path) -> None:
    host.layout.command.parent.mkdir(parents=True)
    host.layout.command.write_text("somebody's own")
    first(host, tmp_path)
    uninstall(host, keep_data=False)
    assert host.layout.command.read_text() == "somebody's own"


def test_a_damaged_record_is_said(host: Host, tmp_path: Path) -> None:
    first(host, tmp_path)
    host.layout.changes.write_text("{}")
    with pytest.raises(BedsideError, match="record of changed settings"):
        uninstall(host, keep_data=True)
    assert host.layout.current.exists()
