"""The export writes a new file for its owner alone, or says why not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.errors import BadInputError, ResourceError
from app.ui.export import proposed_path, write_new
from app.ui.ports import documents_folder


def test_the_file_is_new_and_private(tmp_path: Path) -> None:
    path = proposed_path(tmp_path)
    assert path.name == "bedside-conversation.md"
    write_new(path, "words\n")
    assert path.read_text() == "words\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert proposed_path(tmp_path).name == "bedside-conversation-2.md"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text("mine")
    with pytest.raises(BadInputError, match="there already"):
        write_new(path, "theirs")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "link.md"
    path.symlink_to(tmp_path / "elsewhere.md")
    with pytest.raises(BadInputError, match="there already"):
        write_new(path, "words")
    assert not (tmp_path / "elsewhere.md").exists()


@pytest.mark.parametrize("name", ["no/such/folder.md", "file.md/below.md"])
def test_a_missing_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.md").touch()
    with pytest.raises(BadInputError, match="no folder"):
        write_new(tmp_path / name, "words")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, ResourceError, "disk is full"),
        (errno.EROFS, BadInputError, "may not write"),
        (errno.EIO, BadInputError, "could not be written"),
    ],
)
def test_a_failing_disk_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: type[Exception],
    words: str,
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=words):
        write_new(tmp_path / "new.md", "words")
    assert list(tmp_path.iterdir()) == []


def test_a_stick_without_hard_links_gets_the_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "new.md"
    write_new(path, "words")
    assert path.read_text() == "words"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInputError, match="there already"):
        write_new(path, "other")
    assert path.read_text() == "words"
    assert list(tmp_path.iterdir()) == [path]


def test_the_default_place_is_documents_or_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", str(tmp_path / "Papers"))
    assert documents_folder() == tmp_path
    (tmp_path / "Papers").mkdir()
    assert documents_folder() == tmp_path / "Papers"
