"""The user that the service runs as, on a board that is taken for a real one."""

from __future__ import annotations

import dataclasses
import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.errors import ResourceError, UsageError
from app.releases import setup
from app.releases.commands import Outcome
from app.releases.host import Host
from app.releases.layout import Layout
from app.releases.record import Record, read_record


class Accounts:
    """The users and groups of a system, and the programs that change them."""

    def __init__(self) -> None:
        self.users, self.groups = {"root"}, {"video", "render"}
        self.calls: list[list[str]] = []
        self.given: list[tuple[str, int]] = []
        self.status = 0

    def __call__(self, command: Sequence[str], **_: object) -> Outcome:
        self.calls.append(list(command))
        if self.status == 0:
            (self.users.add if command[0] == "useradd" else self.users.discard)("bedside")
        return Outcome(self.status, errors="no more numbers")


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    accounts = Accounts()

    def give(path: Path, user: int, group: int, *, follow_symlinks: bool) -> None:
        assert not follow_symlinks
        accounts.given.append((path.name, user))

    monkeypatch.setattr(Layout, "real", property(lambda _: True))
    monkeypatch.setattr(setup, "_has_user", lambda name: name in accounts.users)
    monkeypatch.setattr(setup, "_has_group", lambda name: name in accounts.groups)
    monkeypatch.setattr(pwd, "getpwnam", lambda _: SimpleNamespace(pw_uid=7, pw_gid=8))
    monkeypatch.setattr(os, "chown", give)
    return accounts


@pytest.fixture
def board(host: Host, accounts: Accounts) -> Host:
    host = dataclasses.replace(host, run=accounts)
    setup.make_folders(host)
    return host


def test_the_user_is_made_once_and_taken_back(board: Host, accounts: Accounts) -> None:
    (board.layout.state / "kept").touch()
    setup.make_user(board)
    setup.make_user(board)
    (made,) = accounts.calls
    assert made[0] == "useradd"
    assert made[made.index("--groups") + 1] == "video,render"
    assert made[made.index("--shell") + 1] == "/usr/sbin/nologin"
    assert accounts.given == [("bedside", 7), ("kept", 7)]
    assert read_record(board.layout).names("user") == ("bedside",)
    setup.undo(board, Record())
    assert accounts.calls[-1] == ["userdel", "bedside"]
    assert not read_record(board.layout).changes


def test_a_user_that_was_there_is_left(board: Host, accounts: Accounts) -> None:
    accounts.users.add("bedside")
    setup.make_user(board)
    setup.undo(board, Record())
    assert not accounts.calls


def test_a_user_that_cannot_be_made(board: Host, accounts: Accounts) -> None:
    accounts.status = 4
    with pytest.raises(ResourceError, match=r"could not be made: no more numbers\."):
        setup.make_user(board)


def test_no_group_for_the_sensors(board: Host, accounts: Accounts) -> None:
    setup.check_groups(board)
    accounts.groups.remove("video")
    with pytest.raises(UsageError, match="no group “video”"):
        setup.check_groups(board)


def test_the_reference_is_given_once(board: Host, accounts: Accounts, tmp_path: Path) -> None:
    accounts.users.add("bedside")
    (tmp_path / "reference.db").write_bytes(b"of the bundle")
    setup.give_reference(board, tmp_path)
    place = board.layout.state / "reference.db"
    assert place.read_bytes() == b"of the bundle"
    place.write_bytes(b"the board's own by now")
    setup.give_reference(board, tmp_path)
    assert place.read_bytes() == b"the board's own by now"
    assert accounts.given == [("reference.db", 7)]
