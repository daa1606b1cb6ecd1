"""The machine that releases are installed on, and how it is spoken to and about."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.releases.commands import Run, run
from app.releases.environment import make_environment
from app.releases.layout import Layout
from app.releases.manifest import Manifest

MakeEnvironment = Callable[[Run, Path, Manifest, Path], None]


@dataclass(frozen=True, slots=True)
class Host:
    """What every act on releases is given; tests put a folder and actors in its place."""

    layout: Layout
    tell: Callable[[str], None]
    """Gets each sentence of what is done, when it is done."""
    run: Run = run
    make_environment: MakeEnvironment = make_environment
    pause: Callable[[float], None] = time.sleep
    systemd: bool = True
    """Whether units may be set up; False for a container, an emulator, a test of the files."""
    owner: int = field(default_factory=os.geteuid)
    """Whose files may be trusted: root's, who alone changes a real machine."""

    @property
    def has_systemd(self) -> bool:
        """Whether systemd runs here and may be used."""
        return self.systemd and (self.layout.root / "run/systemd/system").is_dir()
