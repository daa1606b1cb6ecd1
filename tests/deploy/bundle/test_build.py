"""A toy bundle from its parts to its archive, by the real steps and a real signature."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadInputError, UsageError
from app.releases import bundle
from app.releases.manifest import parse
from app.releases.sums import parse_sums
from deploy.bundle import build as building
from deploy.bundle.contents import (
    BOARD_FOLDERS,
    SHARED_FOLDERS,
    Contents,
    find_model,
    place,
    set_up,
)
from deploy.bundle.order import Order
from deploy.bundle.seal import list_files, signers, throw_away_key
from deploy.bundle.source import Source
from deploy.bundle.workplace import Workplace
from tests.deploy.bundle.toys import (
    CATALOGUE,
    EPOCH,
    make_model,
    make_order,
    make_source,
    needs_keygen,
)
from tests.shared import ROOT


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path)


@pytest.fixture
def source(tmp_path: Path, model: Path) -> Source:
    return make_source(tmp_path / "source", model)


@pytest.fixture
def order(tmp_path: Path, model: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order whose parts are toys; everything from then on is real."""
    return make_order(tmp_path, model, source, monkeypatch)


def build(order: Order, tmp_path: Path) -> tuple[building.Built, list[str]]:
    told: list[str] = []
    return building.build(order, Workplace(tmp_path / "build"), told.append), told


@needs_keygen
def test_what_a_board_gets(order: Order, tmp_path: Path) -> None:
    built, told = build(order, tmp_path)
    manifest = parse((built.folder / bundle.MANIFEST).read_bytes())
    assert (manifest.version, manifest.board, manifest.glibc) == ("1.2.3", "pi5", "2.34")
    assert manifest.model.file == "models/toy-Q4.gguf"
    sums = parse_sums((built.folder / bundle.SUMS).read_bytes())
    files = list_files(built.folder)
    assert sums == {
        path: one.sha256
        for path, one in files.items()
        if path not in (bundle.SUMS, bundle.SIGNATURE)
    }
    assert manifest.files == {p: one for p, one in files.items() if p not in bundle.UNLISTED}
    lock = (built.folder / "locks/cp312.txt").read_text()
    assert f"bedside==1.2.3 --hash=sha256:{sums['wheels/bedside-1.2.3-py3-none-any.whl']}" in lock
    assert "llama-cpp-python==0.3.36 --hash=sha256:" in lock
    assert any("throw-away key" in line for line in told)
    assert any("for all of them" in line and "within the bar of 130 MB" in line for line in told)


@needs_keygen
def test_the_signature_is_what_a_board_asks_for(order: Order, tmp_path: Path) -> None:
    built, _ = build(order, tmp_path)
    asked = ["ssh-keygen", "-Y", "verify", "-I", bundle.IDENTITY, "-n", bundle.NAMESPACE]
    asked += ["-f", str(built.folder / bundle.SIGNERS), "-s", str(built.folder / bundle.SIGNATURE)]

    def verified(content: bytes) -> bool:
        done = subprocess.run(asked, input=content, capture_output=True, check=False)
        return done.returncode == 0

    sums = (built.folder / bundle.SUMS).read_bytes()
    assert verified(sums)
    assert not verified(sums.replace(b"0", b"1", 1))


@needs_keygen
def test_two_builds_are_byte_for_byte_the_same(order: Order, tmp_path: Path) -> None:
    first = build(order, tmp_path)[0].archive.read_bytes()
    for path in tmp_path.rglob("*.whl"):
        os.utime(path, ns=(1, 1))
    before = os.umask(0o077)
    try:
        assert build(order, tmp_path)[0].archive.read_bytes() == first
    finally:
        os.umask(before)


@needs_keygen
def test_nothing_of_this_machine_is_in_the_archive(order: Order, tmp_path: Path) -> None:
    built, _ = build(order, tmp_path)
    with tarfile.open(built.archive) as archive:
        members = archive.getmembers()
    paths = [Path(one.name) for one in members]
    assert paths == sorted(paths)
    assert {one.mtime for one in members} == {EPOCH}
    assert {(one.uid, one.gid, one.uname, one.gname) for one in members} == {(0, 0, "", "")}
    assert {one.mode for one in members if one.isdir()} == {0o755}
    executable = [one.name for one in members if one.isfile() and one.mode != 0o644]
    assert executable == ["bedside-1.2.3-pi5/install.sh"]


@needs_keygen
def test_a_foreign_file_in_the_folder(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place_and_more(folder: Path, wanted: Contents) -> None:
        place(folder, wanted)
        (folder / "wheels" / "evil.whl").touch()

    monkeypatch.setattr("deploy.bundle.contents.place", place_and_more)
    with pytest.raises(BadInputError, match=r"not what was put there: wheels/evil\.whl"):
        build(order, tmp_path)
    assert not order.out.exists()


@needs_keygen
def test_a_reference_index(order: Order, tmp_path: Path) -> None:
    index = tmp_path / "index.db"
    with pytest.raises(BadInputError, match=r"There is no reference index .*index\.db"):
        build(replace(order, reference=index), tmp_path)
    index.write_bytes(b"SQLite format 3")
    built, _ = build(replace(order, reference=index), tmp_path)
    assert (built.folder / bundle.REFERENCE).read_bytes() == b"SQLite format 3"
    assert bundle.REFERENCE in built.manifest.files


@needs_keygen
def test_a_bundle_takes_the_place_of_an_earlier_one(order: Order, tmp_path: Path) -> None:
    for left in ("bedside-1.2.3-pi5/wheels/old.whl", ".bedside-1.2.3-pi5.part/old"):
        (order.out / left).parent.mkdir(parents=True)
        (order.out / left).touch()
    build(order, tmp_path)
    assert not list(order.out.rglob("old*"))
    assert {one.name for one in order.out.iterdir()} == {
        "bedside-1.2.3-pi5",
        "bedside-1.2.3-pi5.tar",
    }


def test_units_of_one_board_only(source: Source) -> None:
    assert set_up(source.folder, "pi5").keys() == {
        "install.sh",
        "units/bedside-kiosk.service",
        "units/bedside-kiosk.service.d/10-more.conf",
        "units/bedside-rescue.service",
        "units/privacy/offers.sh",
    }
    orin = set_up(source.folder, "orin-nano").keys()
    assert "units/bedside-x.service" in orin
    assert not any("Dockerfile" in path or "kiosk" in path for path in orin)


def test_every_folder_that_is_carried_is_in_the_tree() -> None:
    folders = (*BOARD_FOLDERS.values(), *SHARED_FOLDERS)
    assert [name for name in folders if not (ROOT / "deploy" / name).is_dir()] == []


def test_a_commit_without_an_installer(source: Source) -> None:
    (source.folder / "deploy/bundle/install.sh").unlink()
    with pytest.raises(BadInputError, match=r"install\.sh is not in the commit"):
        set_up(source.folder, "pi5")


def test_a_model_that_no_board_could_name(source: Source, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"else")
    with pytest.raises(UsageError, match=r"no entry for other\.gguf"):
        find_model(other, source.folder / "models/catalog.toml")


def test_a_model_known_by_its_file_name_alone(source: Source, tmp_path: Path) -> None:
    catalogue = tmp_path / "catalog.toml"
    catalogue.write_text(CATALOGUE.format(sha256=""))
    named = tmp_path / "toy-Q4.gguf"
    named.write_bytes(b"other weights")
    found, _ = find_model(named, catalogue)
    assert (found.name, found.file, found.bytes) == ("toy", "models/toy-Q4.gguf", 13)


def test_a_path_that_a_stick_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no path that a bundle may hold"):
        place(tmp_path / "bundle", {"wheels/a:b.whl": b""})
    assert not (tmp_path / "bundle").exists()


def test_a_model_is_not_copied_through_memory(tmp_path: Path) -> None:
    model, size = tmp_path / "model.gguf", 2**25
    with model.open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        place(tmp_path / "bundle", {"models/m.gguf": model, "units/u": b"unit"})
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()
    assert (tmp_path / "bundle/models/m.gguf").stat().st_size == size
    assert (tmp_path / "bundle/units/u").read_bytes() == b"unit"


@needs_keygen
def test_the_throw_away_key_is_made_once(tmp_path: Path) -> None:
    workplace = Workplace(tmp_path)
    first = signers(throw_away_key(workplace))
    assert signers(throw_away_key(workplace)) == first
    assert first.startswith(b'release@bedside namespaces="bedside-bundle" ssh-ed25519 AAAA')


def test_a_key_without_its_public_half(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no mine\.pub"):
        signers(tmp_path / "mine")
