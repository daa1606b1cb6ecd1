"""The parts of a toy bundle, of which everything else is then built by the real steps."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from app.releases.manifest import PYTHONS
from deploy.bundle import build as building
from deploy.bundle.contents import Wheels, find_model
from deploy.bundle.cross import Llama
from deploy.bundle.gather import Gathered
from deploy.bundle.libraries import check_wheels
from deploy.bundle.order import Order
from deploy.bundle.source import Source
from tests.deploy.bundle.elves import library
from tests.deploy.bundle.wheels import wheel

EPOCH = 1_700_000_000
CATALOGUE = """default = "toy"
[[model]]
name = "toy"
file = "toy-Q4.gguf"
sha256 = "{sha256}"
bytes = 7
memory = 1000
licence = "none"
source = "here"
context = 8
good_for = "tests"
not_good_for = "else"
"""
needs_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not here"
)


def make_model(folder: Path) -> Path:
    """A model of seven bytes."""
    path = folder / "mine.gguf"
    path.write_bytes(b"weights")
    return path


def make_source(folder: Path, model: Path) -> Source:
    """A commit with an installer, units and a catalogue that knows the model."""
    files = {
        "deploy/bundle/install.sh": "#!/bin/sh\n",
        "deploy/pi5/bedside-kiosk.service": "[Unit]\n",
        "deploy/pi5/bedside-kiosk.service.d/10-more.conf": "[Service]\n",
        "deploy/jetson/bedside-x.service": "[Unit]\n",
        "deploy/jetson/Dockerfile": "FROM scratch\n",
        "deploy/systemd/bedside-rescue.service": "[Unit]\n",
        "deploy/privacy/offers.sh": "#!/bin/sh\n",
        "models/catalog.toml": CATALOGUE.format(
            sha256=hashlib.sha256(model.read_bytes()).hexdigest()
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Source(folder, "ab" * 20, EPOCH, "1.2.3", left_out=False)


def make_order(folder: Path, model: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order whose parts are toys, whatever it asks for."""
    own = wheel(folder, "bedside-1.2.3-py3-none-any.whl", {"app/__init__.py": b""})
    built = library(versions={"libc.so.6": ("GLIBC_2.34",)})
    llama = wheel(folder, "llama_cpp_python-0.3.36-py3-none-linux_aarch64.whl", {"l.so": built})
    pip = wheel(folder, "pip-26.3-py3-none-any.whl", {"pip/__init__.py": b""})
    boards = {}
    for python in PYTHONS:
        tag = f"cp{python.replace('.', '')}"
        name = f"toy-1.0-{tag}-{tag}-linux_aarch64.whl"
        boards[python] = (wheel(folder, name, {"toy.py": tag.encode()}),)
    wheels = Wheels(own, llama, pip, boards)
    found, entry = find_model(model, source.folder / "models/catalog.toml")
    needs = check_wheels(wheels.every())
    parts = Gathered(source, wheels, Llama(llama, "cd" * 32), needs, found, entry)
    monkeypatch.setattr(building, "gather", lambda *_: parts)
    return Order("pi5", model, folder / "out")
