"""Output files: whole or not at all, and a sentence for what stands in the way."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ResourceError, UsageError
from converter.files import check_not_read, check_output, check_space, whole_file


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("before")
    with whole_file(out) as file:
        file.write(b"after")
        assert out.read_text() == "before"
    assert out.read_text() == "after"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_it_is_readable_to_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "out") as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_appears_when_the_block_fails(error: type[BaseException], tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "out") as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind", "sentence"),
    [
        (errno.ENOSPC, ResourceError, "disk filled up"),
        (errno.EDQUOT, ResourceError, "disk filled up"),
        (errno.EIO, ResourceError, "failed: Input/output error"),
        (errno.EROFS, UsageError, "cannot be written there"),
    ],
)
@pytest.mark.parametrize(("holder", "call"), [(os, "fsync"), (Path, "replace")])
def test_the_disk_failing_at_the_end(
    holder: object,
    call: str,
    number: int,
    kind: type[Exception],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(holder, call, fail)
    with pytest.raises(kind, match=sentence), whole_file(tmp_path / "out") as file:
        file.write(b"x")
    assert list(tmp_path.iterdir()) == []


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def _missing(tmp_path: Path) -> Path:
    return tmp_path / "none" / "out"


def _existing(tmp_path: Path) -> Path:
    (tmp_path / "out").write_text("precious")
    return tmp_path / "out"


def _pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("made", "force", "sentence"),
    [
        (_folder, True, "is a folder"),
        (_missing, True, "There is no folder"),
        (_existing, False, "exists; name another file"),
        (_pipe, True, "no ordinary file"),
    ],
)
def test_places_where_nothing_can_be_written(
    made: Callable[[Path], Path], force: bool, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_output(made(tmp_path), force=force)


def test_force_allows_what_exists(tmp_path: Path) -> None:
    check_output(_existing(tmp_path), force=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(UsageError, match="cannot be written there"), whole_file(tmp_path / "out"):
        pass


def test_space_is_counted(tmp_path: Path) -> None:
    check_space(tmp_path, 1)
    with pytest.raises(ResourceError, match=r"needs 1,000,000,000,000 MB.*make room"):
        check_space(tmp_path, 10**18)


def test_what_is_read_is_never_the_output_by_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").touch()
    (folder / "made.gguf").touch()  # an output: nothing reads it from the folder
    (tmp_path / "text").touch()
    (tmp_path / "hard").hardlink_to(tmp_path / "text")
    (tmp_path / "soft").symlink_to(folder / "config.json")
    read = (tmp_path / "text", folder, tmp_path / "missing")
    for out in (tmp_path / "text", tmp_path / "hard", tmp_path / "soft", folder / "config.json"):
        with pytest.raises(UsageError, match="is read itself and would be lost"):
            check_not_read(out, read)
    for out in (folder / "made.gguf", tmp_path / "missing", tmp_path / "other"):
        check_not_read(out, read)
    with pytest.raises(UsageError, match="is read itself"):
        check_not_read(folder / "made.gguf", [folder / "made.gguf"])
