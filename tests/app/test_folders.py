from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.errors import ResourceError
from app.folders import Folders, private_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_xdg_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    folders = Folders.standard()
    assert folders.config == tmp_path / "CONFIG/bedside"
    assert folders.state == tmp_path / "STATE/bedside"
    assert folders.cache == tmp_path / "CACHE/bedside"
    assert folders.data == tmp_path / "DATA/bedside"
    assert not list(tmp_path.iterdir())


def test_new_folders_are_private(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a/b/c")
    assert {mode(made), mode(made.parent), mode(tmp_path / "a")} == {0o700}
    assert private_folder(made) == made


def test_a_folder_that_exists_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    private_folder(tmp_path / "open/inner")
    assert mode(tmp_path / "open") == 0o755


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(ResourceError, match="cannot be made"):
            private_folder(path)
