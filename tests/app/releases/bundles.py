"""Small bundles with made-up content, for the tests of everything that reads one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from app.releases import bundle
from app.releases.manifest import PYTHONS, BundledFile, BundledModel, Manifest, dump
from app.releases.sums import dump_sums

MODEL = "models/toy-1m-Q4_K_M.gguf"
KIOSK = """[Unit]
Description=A kiosk
[Service]
Type=notify
ExecStart=/opt/bedside/current/venv/bin/bedside --kiosk
User=bedside
# walls
ProtectSystem=strict
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
Environment=XDG_STATE_HOME=%S TERM=linux
CapabilityBoundingSet=
Restart=always
TTYPath=/dev/tty1
[Install]
WantedBy=multi-user.target
"""


def contents(version: str, model: bytes = b"GGUF and some weights") -> dict[str, bytes]:
    """The files of a bundle, by path."""
    return {
        bundle.INSTALLER: b"#!/bin/sh\n",
        bundle.SIGNERS: b'release@bedside namespaces="bedside-bundle" ssh-ed25519 AAAA\n',
        bundle.wheel_of(version): f"Bedside {version}".encode(),
        "wheels/pip-26.1-py3-none-any.whl": b"pip",
        "units/bedside-kiosk.service": KIOSK.encode(),
        "units/bedside-rescue.service": b"[Service]\nExecStart=/bin/true\n",
        MODEL: model,
        **{bundle.lock_of(python): b"bedside --hash=sha256:00\n" for python in PYTHONS},
    }


def described(content: bytes) -> BundledFile:
    """What a manifest says of a file with this content."""
    return BundledFile(hashlib.sha256(content).hexdigest(), len(content))


def manifest(version: str, files: Mapping[str, bytes], board: str = "pi5") -> Manifest:
    """The manifest of a bundle of these files."""
    model = described(files[MODEL])
    return Manifest(
        version=version,
        board=board,
        pythons=PYTHONS,
        glibc="2.17",
        cpu_features=("asimddp", "asimdhp"),
        model=BundledModel("toy-1m", MODEL, model.sha256, model.bytes),
        memory_bytes=2_000_000_000,
        disk_bytes=1_000_000,
        source_date_epoch=1_760_000_000,
        llama_cpp_sdist="ab" * 32,
        commit="cd" * 20,
        files={path: described(content) for path, content in files.items()},
    )


def write(folder: Path, described_by: Manifest, files: Mapping[str, bytes]) -> Path:
    """The bundle as a folder, with a signature that only `machines.FakeMachine` believes."""
    written = dump(described_by)
    sums = dump_sums(described_by, written)
    extra = {bundle.MANIFEST: written, bundle.SUMS: sums, bundle.SIGNATURE: sign(sums)}
    for path, content in {**files, **extra}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


def make(folder: Path, version: str, *, board: str = "pi5", model: bytes = b"GGUF 1") -> Path:
    """A sound bundle of a version."""
    files = contents(version, model)
    return write(folder, manifest(version, files, board), files)


def sign(sums: bytes) -> bytes:
    """What stands for a signature where there is no ssh-keygen."""
    return b"signed " + hashlib.sha256(sums).hexdigest().encode()
