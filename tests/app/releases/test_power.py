"""A loss of power, and a full disk, at every single change that an act makes to the disk.

Python tells an audit hook of every file that it opens and every name that it changes. The hook
counts these, and from the chosen one on lets none through: nothing that the program would do
afterwards, in any `finally`, happens either.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.errors import BedsideError, ResourceError
from app.releases import bundle
from app.releases.commands import Outcome
from app.releases.host import Host
from app.releases.install import Wishes, install
from app.releases.layout import Layout
from app.releases.links import sweep
from app.releases.switching import rollback
from tests.app.releases import bundles
from tests.app.releases.machines import FakeMachine, make_board, make_host
from tests.app.releases.test_install import check_release, tree

_CHANGES = {"os.rename", "os.symlink", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"}
_GROWTH = {"os.symlink", "os.link", "os.mkdir", "create"}


class PowerCut(BaseException):
    """The end; nothing catches it."""


@dataclass
class Disk:
    """Lets so many changes through, and then fails all of them."""

    left: int | None = None
    """None lets everything through."""
    fails_with: Callable[[], BaseException] = PowerCut
    events: set[str] = field(default_factory=lambda: _CHANGES | {"create"})
    happened: bool = False

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.left is None:
            return
        if event == "open":
            flags = arguments[2]
            creates = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            event = "create" if creates else event
        if event in self.events:
            self.left -= 1
            if self.left < 0:
                self.happened = True
                raise self.fails_with()


DISK = Disk()


@pytest.fixture(scope="module", autouse=True)
def _listening() -> None:
    """An audit hook cannot be taken away; this one is deaf outside the tests of this file."""
    sys.addaudithook(lambda event, arguments: DISK.hear(event, arguments))


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder for some hundred boards, in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    there = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bedside-", dir=there) as folder:
        yield Path(folder)


@contextmanager
def failing_after(
    changes: int, fails_with: Callable[[], BaseException], events: set[str]
) -> Iterator[Disk]:
    DISK.left, DISK.fails_with, DISK.events, DISK.happened = changes, fails_with, events, False
    try:
        yield DISK
    finally:
        DISK.left = None


Act = Callable[[Host, Path], object]


def first(host: Host, stick: Path) -> object:
    return install(host, stick, Wishes(signers=stick / bundle.SIGNERS))


def to_the_next(host: Host, stick: Path) -> object:
    return install(host, stick, Wishes())


def back(host: Host, stick: Path) -> object:
    return rollback(host)


def board_with(releases: int, folder: Path, machine: FakeMachine) -> Host:
    """A board that has been installed and updated so often."""
    host = make_host(make_board(folder), machine)
    if releases:
        stick = bundles.make(folder / "stick0", "1.0.0")
        install(host, stick, Wishes(signers=stick / bundle.SIGNERS))
    if releases > 1:
        install(host, bundles.make(folder / "stick1", "1.0.1", model=b"GGUF 2"), Wishes())
    return host


def copied(template: Path, folder: Path) -> Layout:
    """The same board once more. Its files are replaced and never written, so links are enough."""
    shutil.copytree(template, folder, symlinks=True, copy_function=os.link)
    return Layout(folder)


class Starting(FakeMachine):
    """Remembers how many changes were left when the first service was started."""

    left: int | None = None

    def __call__(self, command: Sequence[str], **others: Any) -> Outcome:
        if self.left is None and command[:2] == ["systemctl", "start"]:
            self.left = DISK.left
        return super().__call__(command, **others)


def changes_until_started(act: Act, template: Path, stick: Path) -> int:
    """How many changes an act makes before a release can show that it is sick."""
    machine = Starting()
    host = make_host(copied(template, template.with_name("counted")), machine)
    with failing_after(1000, PowerCut, _CHANGES | {"create"}):
        act(host, stick)
    assert machine.left is not None
    return 1000 - machine.left


def whole(host: Host) -> str | None:
    """The version that a board starts with now, which is all there or not at all."""
    layout = host.layout
    current = layout.pointed(layout.current)
    if current is None:
        assert not layout.current.is_symlink()
        return None
    check_release(host, current)
    return current


ACTS = [
    (first, 0, {None, "1.0.2"}),
    (to_the_next, 2, {"1.0.1", "1.0.2"}),
    (back, 2, {"1.0.1", "1.0.0"}),
]


@pytest.mark.parametrize(("act", "releases", "versions"), ACTS)
@pytest.mark.parametrize("sick", [False, True])
def test_a_power_cut_at_any_change_leaves_a_whole_release(
    shelf: Path, act: Act, releases: int, versions: set[str | None], sick: bool
) -> None:
    """Also while a sick release is being put back."""
    template, machine = shelf / "template", FakeMachine()
    board_with(releases, template, machine)
    stick = bundles.make(shelf / "stick", "1.0.2", model=b"GGUF 3")
    for changes in range(changes_until_started(act, template, stick) if sick else 0, 1000):
        host = make_host(copied(template, shelf / str(changes)), machine)
        machine.dead = {"1.0.2"} if sick else set()
        try:
            with failing_after(changes, PowerCut, _CHANGES | {"create"}) as disk:
                act(host, stick)
        except (PowerCut, BedsideError):
            pass
        assert whole(host) in versions
        machine.dead = set()
        if disk.happened:
            sweep(host.layout)
            check_swept(host)
            assert whole(host) in versions
        if not disk.happened:
            assert changes > 5
            return
    pytest.fail("it never came to an end")


def check_swept(host: Host) -> None:
    """No litter, and never more than two releases with their models."""
    layout = host.layout
    linked = {layout.pointed(layout.current), layout.pointed(layout.previous)} - {None}
    if layout.releases.exists():
        assert {path.name for path in layout.releases.iterdir()} == linked
    if layout.models.exists():
        assert len(list(layout.models.iterdir())) <= len(linked)


@pytest.mark.parametrize("changes", range(0, 90, 7))
def test_after_a_power_cut_the_same_act_succeeds(shelf: Path, changes: int) -> None:
    host = board_with(2, shelf / "board", FakeMachine())
    stick = bundles.make(shelf / "stick", "1.0.2")
    with pytest.raises(PowerCut), failing_after(changes, PowerCut, _CHANGES | {"create"}):
        install(host, stick, Wishes())
    if whole(host) != "1.0.2":
        assert install(host, stick, Wishes()) == "1.0.2"
    assert whole(host) == "1.0.2"


def test_what_must_lie_on_the_disk_lies_there_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook cannot see what a disk holds back, so the order of flushes is looked at itself."""
    host = board_with(1, tmp_path / "board", FakeMachine())
    layout, events = host.layout, list[str]()
    release = layout.release("1.0.2")

    def sync() -> None:
        assert (release / "venv/bin/python").exists()
        assert not (release / "release.json").exists()
        events.append("sync")

    def fsync(descriptor: int) -> None:
        flushed = Path(f"/proc/self/fd/{descriptor}").readlink()
        whole = (release / "release.json").exists()
        events.append(f"{flushed.name} {layout.current.readlink().name} {whole}")

    monkeypatch.setattr(os, "sync", sync)
    monkeypatch.setattr(os, "fsync", fsync)
    install(host, bundles.make(tmp_path / "stick", "1.0.2"), Wishes())
    copied = [event.split()[0] for event in events[: events.index("sync")]]
    assert {Path(bundles.MODEL).name, bundle.SUMS, "wheels", ".incoming-1.0.2"} <= set(copied)
    assert events.index("sync") < events.index("1.0.2 1.0.0 True")
    assert events.index("1.0.2 1.0.0 True") < events.index("bedside 1.0.2 True")


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("act", "releases", "versions"), ACTS)
def test_a_disk_that_fills_up_at_any_change_is_said_and_leaves_a_whole_release(
    shelf: Path, act: Act, releases: int, versions: set[str | None]
) -> None:
    template, machine = shelf / "template", FakeMachine()
    board_with(releases, template, machine)
    stick = bundles.make(shelf / "stick", "1.0.2", model=b"GGUF 3")
    for changes in range(1000):
        host = make_host(copied(template, shelf / str(changes)), machine)
        with failing_after(changes, full, _GROWTH) as disk:
            try:
                act(host, stick)
            except BedsideError as said:
                assert disk.happened
                assert "is full" in str(said)
        assert whole(host) in versions
        sweep(host.layout)
        check_swept(host)
        if not disk.happened:
            assert changes > 2
            return
    pytest.fail("it never came to an end")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(small)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        host = board_with(2, small, FakeMachine())
        before = tree(small)
        large = bundles.make(tmp_path / "stick", "1.0.2", model=b"GGUF" + bytes(2_000_000))
        with pytest.raises(ResourceError, match="is full"):
            install(host, large, Wishes())
        assert tree(small) == before
    finally:
        subprocess.run(["umount", str(small)], check=True)
