"""The two wheels that are built here, with a pip that only pretends to build."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadInputError
from app.toml_file import read_toml
from deploy.bundle import cross, own
from deploy.bundle.source import Source
from deploy.bundle.wheelfile import read_wheel
from deploy.bundle.workplace import Workplace
from tests.deploy.bundle.wheels import wheel
from tests.shared import ROOT

LLAMA = "llama_cpp_python-0.3.36-py3-none-linux_aarch64.whl"


@dataclass(frozen=True, slots=True)
class Pretending(Workplace):
    """A place whose pip writes the wheel that a test wants, and whose calls can be read."""

    name: str = ""
    files: tuple[str, ...] = ()

    def pip(self, *arguments: str | Path, log: Path | None = None, **more: str) -> str:
        (out,) = [str(one).partition("=")[2] for one in arguments if "--wheel-dir=" in str(one)]
        wheel(Path(out), self.name, {name: name.encode() for name in self.files})
        (self.folder / "called").write_text(f"{arguments} {more}")
        return ""


def test_bedsides_own_wheel(tmp_path: Path) -> None:
    source = Source(tmp_path / "source", "ab" * 20, 1_700_000_000, "1.2.3", left_out=False)
    data = "bedside-1.2.3.data/data/share/bedside/models/catalog.toml"
    files = (*own.NEEDED[:-1], data)
    place = Pretending(tmp_path, "bedside-1.2.3-py3-none-any.whl", files)
    assert own.build(place, source).name == place.name
    assert "'SOURCE_DATE_EPOCH': '1700000000'" in (tmp_path / "called").read_text()
    for lacking in files:
        rest = tuple(one for one in files if one != lacking)
        with pytest.raises(BadInputError, match=r"Bedside's wheel lacks"):
            own.build(Pretending(tmp_path, place.name, rest), source)


def test_what_the_program_reads_is_in_the_tree() -> None:
    project: dict[str, Any] = dict(read_toml(ROOT / "pyproject.toml"))
    targets = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "app" in targets["packages"]
    *packaged, shared = own.NEEDED
    assert all((ROOT / name).is_file() for name in packaged)
    assert targets["shared-data"] == {"models/catalog.toml": shared}


def write_compiler(folder: Path, version: str) -> None:
    """A compiler that only knows its version."""
    (folder / "compiler").write_text(f"#!/bin/sh\necho gcc {version}\n")
    (folder / "compiler").chmod(0o755)


@pytest.fixture
def sdist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source, and a compiler whose OpenMP library is a file of this test's."""
    openmp, notice = tmp_path / "libgomp.so.1", tmp_path / "copyright"
    openmp.write_bytes(b"openmp")
    notice.write_bytes(b"its licence")
    monkeypatch.setattr(cross, "_NOTICE", notice)
    monkeypatch.setattr(cross, "_openmp", lambda _: openmp)
    monkeypatch.setattr(cross, "COMPILER", str(tmp_path / "compiler"))
    write_compiler(tmp_path, "12.2.0")
    (tmp_path / "llama").mkdir()
    (tmp_path / "llama/CMakeLists.txt").touch()
    path = tmp_path / "llama.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "llama", "llama")
    return path


def test_the_cross_built_wheel_brings_openmp(sdist: Path, tmp_path: Path) -> None:
    place = Pretending(tmp_path / "build", LLAMA, ("llama_cpp/lib/libllama.so",))
    files = read_wheel(cross.cross_build(place, sdist).wheel)
    assert files["llama_cpp/lib/libgomp.so.1"] == b"openmp"
    assert files["llama_cpp_python-0.3.36.dist-info/licenses/libgomp.txt"] == b"its licence"
    called = (place.folder / "called").read_text()
    for wanted in ("linux-aarch64", "-DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16", "wheel.exclude"):
        assert wanted in called


def test_what_was_built_is_kept_until_an_input_changes(sdist: Path, tmp_path: Path) -> None:
    place = Pretending(tmp_path / "build", LLAMA, ("llama_cpp/lib/libllama.so",))
    first = cross.cross_build(place, sdist)
    (place.folder / "called").unlink()
    assert cross.cross_build(place, sdist) == first
    assert not (place.folder / "called").exists()
    write_compiler(tmp_path, "12.2.1")
    second = cross.cross_build(place, sdist)
    (tmp_path / "libgomp.so.1").write_bytes(b"another")
    third = cross.cross_build(place, sdist)
    assert len({first.wheel, second.wheel, third.wheel}) == 3


def test_a_build_that_made_something_else(sdist: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not built as it should be"):
        cross.cross_build(Pretending(tmp_path / "build", LLAMA, ("lib/libllama.so",)), sdist)


def test_the_build_on_a_board_is_of_the_same_kind() -> None:
    """`build-cuda.sh` adds the GPU, and else builds what the bundle's wheel is."""
    script = (ROOT / "deploy/bundle/build-cuda.sh").read_text()
    assert [flag for flag in cross.FLAGS if flag not in script] == []
