"""Turns the verified copy of a bundle into a release that nothing leads to yet."""

from __future__ import annotations

import os
import re
from pathlib import Path

from app.errors import BadInputError
from app.files import disk_of, sync_folder, write_whole
from app.releases import bundle
from app.releases.environment import running_python
from app.releases.host import Host
from app.releases.links import point, remove
from app.releases.manifest import Manifest
from app.releases.note import Note, write_note

_CATALOGUE = "share/bedside/models"
"""Below the environment: where the wheel puts the catalogue, and the program looks for models."""
_NOT_KEPT = ("wheels", "locks", "models", "keys")
"""Folders of the bundle that the release has in another form."""
_DEFAULT = re.compile(r'^default = "([^"\n]*)"$', re.MULTILINE)


def stage(host: Host, copy: Path, manifest: Manifest) -> Path:
    """Makes the release's folder out of the copy, and removes the copy.

    What is moved is moved on one disk, so a model needs its space once.

    Raises:
        ResourceError: the disk is full.
        BadInputError: the bundle's packages do not install.
    """
    layout = host.layout
    release = layout.release(manifest.version)
    with disk_of(release):
        remove(release)  # whole, but nothing leads to it
        release.mkdir(mode=0o755)
    host.tell(f"Making the environment of Bedside {manifest.version}; this takes minutes.")
    host.make_environment(host.run, copy, manifest, release / "venv")
    model = layout.model(manifest.model.sha256)
    with disk_of(model):
        (copy / manifest.model.file).replace(model)
        sync_folder(model.parent)
    _offer_model(release, manifest, model)
    _keep_the_rest(copy, release)
    with disk_of(release):
        os.sync()  # pip flushes nothing; thousands of files one by one would take minutes
    write_note(release, Note.of(manifest, running_python()))
    with disk_of(copy):
        remove(copy)
    return release


def _offer_model(release: Path, manifest: Manifest, model: Path) -> None:
    """Lay the model beside the environment's catalogue, and let the catalogue begin with it."""
    folder = release / "venv" / _CATALOGUE
    with disk_of(folder):
        folder.mkdir(parents=True, exist_ok=True)
    link = folder / Path(manifest.model.file).name
    point(link, os.path.relpath(model, folder))
    catalogue = folder / "catalog.toml"
    with disk_of(catalogue):
        text = catalogue.read_text("utf-8")
    named = _DEFAULT.findall(text)
    if len(named) != 1:
        raise BadInputError(
            "The catalogue in the bundle names no default model. Build the bundle again."
        )
    if named != [manifest.model.name]:
        changed = _DEFAULT.sub(f'default = "{manifest.model.name}"', text)
        write_whole(catalogue, changed.encode())
        with disk_of(catalogue):
            catalogue.chmod(0o644)


def _keep_the_rest(copy: Path, release: Path) -> None:
    """Move what a release may need later: manifest, units, what the CUDA build needs."""
    with disk_of(release):
        for path in sorted(copy.iterdir()):
            if path.name not in (*_NOT_KEPT, bundle.INSTALLER):
                path.replace(release / path.name)
