"""Wheels: the record is believed only where it holds, and writing is repeatable."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError
from deploy.bundle.wheelfile import read_wheel, requirements, wheel_name, write_wheel
from tests.deploy.bundle.wheels import wheel

NAME = "toy-1.0-py3-none-any.whl"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = wheel(tmp_path, NAME, {"toy/__init__.py": b"x = 1\n", "toy/lib.so": b"code"})
    files = read_wheel(path)
    assert files["toy/__init__.py"] == b"x = 1\n"
    assert list(files)[-1] == "toy-1.0.dist-info/RECORD"
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("toy/lib.so").external_attr >> 16 == 0o100755
        assert archive.getinfo("toy/__init__.py").external_attr >> 16 == 0o100644


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    files = {"toy/b.py": b"b", "toy/a.py": b"a"}
    first = wheel(tmp_path, NAME, files).read_bytes()
    os.utime(tmp_path / NAME, ns=(1, 1))
    again = wheel(tmp_path, NAME, dict(reversed(files.items()))).read_bytes()
    assert first == again


def test_its_record_is_what_pip_believes(tmp_path: Path) -> None:
    path = wheel(tmp_path, NAME, {"toy/__init__.py": b""})
    rows = read_wheel(path)["toy-1.0.dist-info/RECORD"].decode().splitlines()
    empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"
    assert f"toy/__init__.py,{empty}" in rows
    assert rows[-1] == "toy-1.0.dist-info/RECORD,,"


def _forged(path: Path, **changed: bytes) -> Path:
    """The wheel with files changed or added behind its record's back."""
    files = {**read_wheel(path), **changed}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_changed_file(tmp_path: Path) -> None:
    path = _forged(wheel(tmp_path, NAME, {"toy.py": b"x"}), **{"toy.py": b"y"})
    with pytest.raises(BadInputError, match=r"its file toy\.py is not the one its record lists"):
        read_wheel(path)


def test_a_foreign_file(tmp_path: Path) -> None:
    path = _forged(wheel(tmp_path, NAME, {}), **{"evil.pth": b"import os"})
    with pytest.raises(BadInputError, match=r"evil\.pth"):
        read_wheel(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name(tmp_path: Path) -> None:
    path = wheel(tmp_path, NAME, {"toy.py": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("toy.py", b"x")
    with pytest.raises(BadInputError, match="two files of one name"):
        read_wheel(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more"])
def test_no_wheel(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="cannot be unpacked"):
        read_wheel(path)


def test_a_flipped_bit(tmp_path: Path) -> None:
    path = wheel(tmp_path, NAME, {"toy.py": bytes(range(256)) * 20})
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"cannot be unpacked|not the one"):
        read_wheel(path)


@given(st.data())
def test_damage_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("wheel")
    content = bytearray(wheel(folder, NAME, {"toy.py": b"x" * 40}).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / NAME).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for read in (read_wheel, requirements):
        try:
            read(folder / NAME)
        except BadInputError as error:
            assert "\n" not in str(error)


def test_no_record(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no record"):
        write_wheel(tmp_path / NAME, {"toy.py": b""})


def test_requirements(tmp_path: Path) -> None:
    asked = (
        b"Name: toy\nVersion: 1.0\nRequires-Dist: a>=1\nRequires-Dist: b ; extra == 'x'\n\nText.\n"
    )
    path = wheel(tmp_path, NAME, {"toy-1.0.dist-info/METADATA": asked})
    assert requirements(path) == ("a>=1", "b ; extra == 'x'")
    assert requirements(wheel(tmp_path, NAME, {})) == ()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy.py", b"")
    with pytest.raises(BadInputError, match="it has no metadata"):
        requirements(path)


def test_names() -> None:
    name = wheel_name(Path("Toy_Box-1.0-cp311-cp311-manylinux2014_aarch64.whl"))
    assert (name.project, name.version) == ("toy-box", "1.0")
    assert name.platforms == {"manylinux2014_aarch64"}
    with pytest.raises(BadInputError, match="not named as a wheel"):
        wheel_name(Path("toy.whl"))
