"""What a manifest may say, and that nothing else is taken from one."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInputError
from app.releases import bundle
from app.releases.manifest import Manifest, dump, parse
from app.releases.sums import dump_sums, parse_sums
from app.releases.versions import is_version, order
from app.sanitise import one_line
from tests.app.releases import bundles

FILES = bundles.contents("1.2.3")
GOOD = bundles.manifest("1.2.3", FILES)


def changed(**fields: Any) -> bytes:
    """A good manifest's JSON with some fields set to anything; `...` takes one out."""
    tree = json.loads(dump(GOOD)) | fields
    return json.dumps({name: value for name, value in tree.items() if value is not ...}).encode()


def test_what_is_written_is_read_and_written_the_same_again() -> None:
    assert parse(dump(GOOD)) == GOOD
    shuffled = dataclasses.replace(GOOD, files=dict(reversed(list(GOOD.files.items()))))
    assert dump(shuffled) == dump(GOOD)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"schema": 2}, "in a form that this program does not know"),
        ({"schema": True}, "“schema” is no number"),
        ({"version": "1.2.3/../.."}, "is no version"),
        ({"version": "1.2.4"}, "lists no wheels/bedside-1.2.4"),
        ({"version": 1}, "“version” is no short text"),
        ({"board": "toaster"}, "“toaster”, which is not known"),
        ({"pythons": ["3.9"]}, "“pythons” holds what is not known"),
        ({"pythons": ["3.11", "3.11"]}, "names one thing twice"),
        ({"pythons": []}, "for no Python"),
        ({"glibc": "3.1"}, "“glibc” is not of the right form"),
        ({"architecture": "x86_64"}, "which is not known"),
        ({"memory_bytes": -1}, "“memory_bytes” is no number"),
        ({"disk_bytes": 1.5}, "“disk_bytes” is no number"),
        ({"commit": "CD" * 20}, "“commit” is not of the right form"),
        ({"commit": ...}, "“commit” is missing"),
        ({"extra": 1}, "“extra” is not known"),
        ({"files": []}, "“files” is no object"),
        ({"model": {"name": "toy-1m"}}, "“file” is missing"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        parse(changed(**fields))


def test_a_model_that_is_not_the_file(tmp_path: Path) -> None:
    model = json.loads(dump(GOOD))["model"] | {"bytes": 9}
    with pytest.raises(BadInputError, match="the model is not among its files"):
        parse(changed(model=model))


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "a/./b",
        ".hidden",
        "a\\b",
        "end.",
        "a b",
        "café",
        "new\nline",
        "",
        "a/" * 8 + "b",
        "x" * 300,
        "MANIFEST.json",
        "SHA256SUMS",
        "Install.sh",
        "install.sh/inner",
        "Wheels/other.whl",
        "units",
    ],
)
def test_paths_that_no_bundle_may_hold(path: str) -> None:
    files = json.loads(dump(GOOD))["files"] | {path: {"sha256": "00" * 32, "bytes": 1}}
    with pytest.raises(BadInputError, match="The bundle cannot be used"):
        parse(changed(files=files))


def test_a_flood_of_files() -> None:
    one = {"sha256": "00" * 32, "bytes": 1}
    with pytest.raises(BadInputError, match="holds more than it can need"):
        parse(changed(files={f"f{n}": one for n in range(bundle.MOST_FILES + 1)}))
    with pytest.raises(BadInputError, match="too large"):
        parse(b" " * 2_000_000)


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"[]", b"[" * 100_000, b'{"schema": 1, "schema": 1}']
)
def test_what_is_no_manifest(text: bytes) -> None:
    with pytest.raises(BadInputError, match="The bundle's manifest cannot be used"):
        parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([field.name for field in dataclasses.fields(Manifest)]), json_values)
def test_any_value_in_any_field_is_read_or_refused(name: str, value: object) -> None:
    try:
        assert dump(parse(changed(**{name: value})))
    except BadInputError as refused:
        assert one_line(str(refused), 1000) == str(refused)


def test_the_sums_are_what_sha256sum_checks(tmp_path: Path) -> None:
    bundles.write(tmp_path, GOOD, FILES)
    command = ["sha256sum", "-c", "--strict", "--quiet", bundle.SUMS]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / bundles.MODEL).write_bytes(b"other weights")
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode != 0


def test_the_sums_are_read_as_written() -> None:
    found = parse_sums(dump_sums(GOOD, dump(GOOD)))
    assert set(found) == {*GOOD.files, bundle.MANIFEST}
    assert all(found[path] == file.sha256 for path, file in GOOD.files.items())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"00  a\n",
        b"0" * 64 + b"  a",
        b"0" * 64 + b" *a\n",
        b"0" * 64 + b"  ../a\n",
        b"0" * 64 + b"  a\n" + b"1" * 64 + b"  A\n",
        b"0" * 64 + b"  SHA256SUMS.sig\n",
        b"\\" + b"0" * 64 + b"  a\n",
    ],
)
def test_sums_that_are_refused(text: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_sums(text)


def test_versions_sort_as_releases_follow() -> None:
    old_to_new = [
        "0.9.10",
        "1.0.0a1",
        "1.0.0b1",
        "1.0.0rc2",
        "1.0.0rc10",
        "1.0.0",
        "1.0.1",
        "1.10.0",
    ]
    mixed = [*old_to_new[4:], *old_to_new[:4]]
    assert sorted(mixed, key=order) == old_to_new
    for text in ("1.0", "1.0.0.0", "v1.0.0", "1.0.0-1", "١.0.0", "1.0.0\n", "", "../1.0.0"):
        assert not is_version(text)
        with pytest.raises(ValueError, match="no version"):
            order(text)
