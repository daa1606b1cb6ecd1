"""Where releases lie on a board.

    /opt/bedside/releases/<version>/   one release; it never moves: its scripts name their own path
        venv/                          Bedside and all it needs; share/bedside/models/ in it
                                       holds the catalogue and a link to the model below
        units/  manifest.json  …       what else of the bundle a running release may need
        release.json                   written last: a folder without it is no release
    /opt/bedside/releases/.incoming-*  the copy of a bundle, until it is a release
    /opt/bedside/models/sha256-….gguf  models by content, shared by the releases
    /opt/bedside/current, previous     links to two of the releases; there are never more
    /etc/bedside/allowed_signers       the pinned key
    /etc/bedside/changes.json          what was changed on this system, for the uninstaller
    /var/lib/bedside/                  what the program keeps; an update never touches it

The last is the service's own, so nothing in it may tell root what to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.releases.versions import is_version

_TARGET = re.compile(r"releases/([^/]+)")
_INCOMING = ".incoming-"


@dataclass(frozen=True, slots=True)
class Layout:
    """The places under a root folder: `/`, or a folder that stands in for it."""

    root: Path = Path("/")

    @property
    def opt(self) -> Path:
        """All of Bedside but its settings and its state."""
        return self.root / "opt/bedside"

    @property
    def releases(self) -> Path:
        """The folder of the releases."""
        return self.opt / "releases"

    @property
    def models(self) -> Path:
        """The folder of the models."""
        return self.opt / "models"

    @property
    def current(self) -> Path:
        """The link to the release that runs."""
        return self.opt / "current"

    @property
    def previous(self) -> Path:
        """The link to the release before it."""
        return self.opt / "previous"

    @property
    def lock(self) -> Path:
        """Held by whoever changes anything here."""
        return self.opt / ".lock"

    @property
    def settings(self) -> Path:
        """Settings of the machine, root's alone to write."""
        return self.root / "etc/bedside"

    @property
    def signers(self) -> Path:
        """The pinned key."""
        return self.settings / "allowed_signers"

    @property
    def changes(self) -> Path:
        """What was changed on this system."""
        return self.settings / "changes.json"

    @property
    def state(self) -> Path:
        """What the program keeps."""
        return self.root / "var/lib/bedside"

    @property
    def units(self) -> Path:
        """Where systemd reads units that an administrator set up."""
        return self.root / "etc/systemd/system"

    @property
    def command(self) -> Path:
        """`bedside`, for whoever types it."""
        return self.root / "usr/local/bin/bedside"

    @property
    def real(self) -> bool:
        """Whether this is the machine itself, and no folder that stands in for it."""
        return self.root == Path("/")

    def release(self, version: str) -> Path:
        """The folder of a release."""
        return self.releases / version

    def incoming(self, version: str) -> Path:
        """The folder that a bundle of this version is copied to."""
        return self.releases / f"{_INCOMING}{version}"

    def model(self, sha256: str) -> Path:
        """The place of a model with this content."""
        return self.models / f"sha256-{sha256}.gguf"

    def pointed(self, link: Path) -> str | None:
        """The version of the whole release that `current` or `previous` leads to; None if none."""
        if not link.is_symlink():
            return None
        found = _TARGET.fullmatch(str(link.readlink()))
        if found is None or not is_version(found.group(1)):
            return None
        return found.group(1) if is_whole(self.release(found.group(1))) else None


def is_whole(release: Path) -> bool:
    """Whether everything of a release was written; its note is written last."""
    return (release / NOTE).is_file()


NOTE = "release.json"
