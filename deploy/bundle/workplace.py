"""Where a bundle is built: one folder that can be deleted at any time.

No key that a board is to go on trusting may lie in it, therefore; its own is for trying alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.errors import UsageError
from deploy.bundle.pins import LOCKS, TOOLS
from deploy.bundle.tools import run

HERE: Final = Path(__file__).resolve().parent
CHECKOUT: Final = HERE.parents[1]

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_KEPT = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "PIP_CERT", "PIP_INDEX_URL", *_PROXIES)


@dataclass(frozen=True, slots=True)
class Workplace:
    """The folder, and the tools in it."""

    folder: Path = CHECKOUT / "build"

    @contextmanager
    def alone(self) -> Iterator[Workplace]:
        """The same place, for one builder at a time: each empties folders that it is about to fill.

        Raises:
            UsageError: another is at work in it.
        """
        with (self.made(".") / ".lock").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    "Another builder is at work in build/; wait for its end."
                ) from error
            yield self

    def made(self, name: str) -> Path:
        """A folder in it, made where it does not exist."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def emptied(self, name: str) -> Path:
        """A folder in it, with nothing in it."""
        path = self.folder / name
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        return path

    @property
    def programs(self) -> Path:
        """The folder of the builder's own Python and its tools."""
        return self.folder / "tools" / "bin"

    @property
    def python(self) -> Path:
        """The Python whose pip, CMake and build backends are those of the lock."""
        return self.programs / "python"

    def environment(self, **more: str) -> dict[str, str]:
        """What a tool may know of this machine: enough to run and to reach the index.

        pip's configuration is left out: it may name other indexes, and what is shipped must be
        what the locks say wherever it is built. Git is told to find no repository: llama.cpp
        would write the commit of whichever encloses it into its libraries.
        """
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        kept["PATH"] = f"{self.programs}{os.pathsep}{kept.get('PATH', os.defpath)}"
        own = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "GIT_DIR": os.devnull,
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
        }
        return {**kept, **own, **more}

    def pip(self, *arguments: str | Path, log: Path | None = None, **more: str) -> str:
        """Runs the pip of the lock. Raises as `run`."""
        command = [self.python, "-m", "pip", "--no-cache-dir", *arguments]
        return run(command, environment=self.environment(**more), log=log)

    def make_tools(self) -> None:
        """Makes the builder's own environment from its lock, where it is not that already.

        Raises:
            UsageError, ResourceError: as `run`.
        """
        lock = LOCKS / TOOLS
        wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
        stamp = self.folder / "tools" / "lock.sha256"
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        self.emptied("tools")
        base = self.environment()
        run([sys.executable, "-m", "venv", self.folder / "tools"], environment=base)
        self.pip("install", "--require-hashes", "--only-binary=:all:", "--requirement", lock)
        stamp.write_text(wanted)
