"""A wheel as a set of files: read with its own record checked, and written the same every time."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from typing import Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from app.errors import BadInputError
from app.files import arriving
from app.sanitise import one_line

_FIRST_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MOST_BYTES: Final = 2**30
"""Unpacked: ten times the largest wheel of a bundle."""
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
"""What zipfile raises for a damaged archive; the last two for names that are no text, for a
password, and for a compression that nobody uses."""


@dataclass(frozen=True, slots=True)
class WheelName:
    """What a wheel's file name says."""

    project: str
    """As pip compares it: `llama-cpp-python`."""
    version: str
    platforms: frozenset[str]
    """`any`, or as `manylinux_2_28_aarch64`."""


def wheel_name(path: Path) -> WheelName:
    """What the name of the file says. Raises BadInputError where it is no wheel's."""
    try:
        project, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise BadInputError(f"{one_line(path.name)} is not named as a wheel is.") from error
    return WheelName(project, str(version), frozenset(tag.platform for tag in tags))


def read_wheel(path: Path) -> dict[str, bytes]:
    """Every file in the wheel, by its path.

    Raises:
        BadInputError: it is no wheel, or a file in it is not the one its RECORD lists.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MOST_BYTES:
                raise _wrong(path, "it unpacks to more than a gigabyte")
            files = {one.filename: archive.read(one) for one in archive.infolist()}
            twice = len(files) != len(archive.infolist())
    except _UNREADABLE as error:
        raise _wrong(path, "it cannot be unpacked") from error
    if twice:
        raise _wrong(path, "it holds two files of one name")
    files = {name: content for name, content in files.items() if not name.endswith("/")}
    _check_record(path, files)
    return files


def requirements(path: Path) -> tuple[str, ...]:
    """What the wheel asks for, with markers, as its metadata has it.

    Raises:
        BadInputError: it is no wheel, or has no metadata.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
            text = archive.read(name).decode()
    except _UNREADABLE as error:
        raise _wrong(path, "it has no metadata") from error
    return tuple(message_from_string(text).get_all("Requires-Dist", ()))


def write_wheel(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes a wheel with a record of its own: the same bytes for the same files.

    Libraries may be executed and everything may be read, as pip would set it.

    Raises:
        ResourceError: it cannot be written.
    """
    record = _record_name(path, files)
    content = {name: files[name] for name in sorted(files) if name != record}
    content[record] = _record(content, record)
    with arriving(path) as place, zipfile.ZipFile(place, "w") as archive:
        for name, data in content.items():
            info = zipfile.ZipInfo(name, _FIRST_ZIP_TIME)
            info.create_system, info.external_attr = 3, (0o100000 | _mode(name)) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)


def _mode(name: str) -> int:
    return 0o755 if ".so" in Path(name).name else 0o644


def _record_name(path: Path, files: Mapping[str, bytes]) -> str:
    names = [name for name in files if name.endswith(".dist-info/RECORD") and name.count("/") == 1]
    if len(names) != 1:
        raise _wrong(path, "it has no record of its files")
    return names[0]


def _record(files: Mapping[str, bytes], record: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows((name, _digest(data), len(data)) for name, data in files.items())
    rows.writerow((record, "", ""))
    return text.getvalue().encode()


def _check_record(path: Path, files: Mapping[str, bytes]) -> None:
    record = _record_name(path, files)
    try:
        rows = list(csv.reader(io.StringIO(files[record].decode())))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(path, "its record cannot be read") from error
    listed = {row[0]: row[1] for row in rows if len(row) == 3}
    for name, content in files.items():
        if name != record and listed.get(name) != _digest(content):
            raise _wrong(path, f"its file {one_line(name, 120)} is not the one its record lists")


def _digest(content: bytes) -> str:
    raw = hashlib.sha256(content).digest()
    return "sha256=" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _wrong(path: Path, why: str) -> BadInputError:
    return BadInputError(
        f"The wheel {one_line(path.name)} cannot be shipped: {why}. "
        "Remove build/cache and build the bundle again."
    )
