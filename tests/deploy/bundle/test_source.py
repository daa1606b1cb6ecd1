"""What is shipped is a commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from app.errors import UsageError
from deploy.bundle.source import export
from deploy.bundle.workplace import Workplace

WHEN = "1700000000 +0000"


def git(folder: Path, *arguments: str) -> str:
    roles = ("GIT_AUTHOR", "GIT_COMMITTER")
    who = {f"{role}_{what}": "x" for role in roles for what in ("NAME", "EMAIL")}
    when = {"GIT_COMMITTER_DATE": WHEN, "GIT_AUTHOR_DATE": WHEN}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **who, **when, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "toy"\nversion = "1.2.3"\n')
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "begin")
    return folder


def test_a_commit(checkout: Path, tmp_path: Path) -> None:
    source = export(Workplace(tmp_path / "build"), checkout=checkout)
    assert source.commit == git(checkout, "rev-parse", "HEAD")
    assert (source.epoch, source.version, source.left_out) == (1700000000, "1.2.3", False)
    assert [path.name for path in source.folder.iterdir()] == ["pyproject.toml"]


def test_what_lies_about_is_left_out(checkout: Path, tmp_path: Path) -> None:
    (checkout / "secret.txt").touch()
    place = Workplace(tmp_path / "build")
    assert not (export(place, checkout=checkout).folder / "secret.txt").exists()
    (checkout / "pyproject.toml").write_text("[project]\n")
    changed = export(place, checkout=checkout)
    assert changed.left_out
    assert changed.version == "1.2.3"


def test_another_version(checkout: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path / "build")
    source = export(place, "1.2.4rc1", checkout)
    assert source.version == "1.2.4rc1"
    assert 'version = "1.2.4rc1"' in (source.folder / "pyproject.toml").read_text()
    with pytest.raises(UsageError, match="is no version"):
        export(place, "next", checkout)
