"""The state of the fixed prompt, kept on disk so that the first answer need not compute it again.

Only the fixed prompt is ever kept: the same bytes in every session, no word of a user. A file is
named by everything its content depends on, so that another model, another llama.cpp or another
prompt simply finds none, and by the hash of its content, so that a damaged one is known.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from app.engine.messages import EngineSettings
from app.files import passing

_KEPT_FILES = 4
"""States of other models and prompts that stay; the oldest go."""


class StateHolder(Protocol):
    """What of the engine's model the kept state needs."""

    def save_state(self, path: str, tokens: Sequence[int]) -> int: ...

    def load_state(self, path: str, room: int) -> list[int]: ...

    def clear(self) -> None: ...


class KeptState:
    """The folder of kept states for one model, library and set-up."""

    def __init__(
        self, folder: Path, model_sha256: str, llama_cpp: str, settings: EngineSettings
    ) -> None:
        self._folder = folder
        self._maker = [
            model_sha256,
            llama_cpp,
            settings.key_type,
            settings.value_type,
            settings.flash_attention,
            settings.gpu_layers,
        ]

    def restore(self, holder: StateHolder, tokens: Sequence[int]) -> bool:
        """Read the state of `tokens` into the cache. Raises OSError.

        A file that was damaged or does not fit is removed: llama.cpp itself takes any numbers for
        keys and values, and a flipped bit would only show as a stranger answer.
        """
        for path in self._folder.glob(f"{self._stem(tokens)}-*.state"):
            whole = path.stem.endswith(_digest(path))
            if whole and holder.load_state(str(path), len(tokens) + 1) == list(tokens):
                with suppress(OSError):  # a folder that cannot be written has nothing to drop
                    os.utime(path)
                return True
            holder.clear()
            path.unlink(missing_ok=True)
        return False

    def keep(self, holder: StateHolder, tokens: Sequence[int]) -> None:
        """Write the state of `tokens`, whole or not at all. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with passing(self._folder, "prompt") as place:
            if holder.save_state(str(place), tokens):
                place.chmod(0o600)
                place.replace(self._folder / f"{self._stem(tokens)}-{_digest(place)}.state")
        self._drop_oldest()

    def _stem(self, tokens: Sequence[int]) -> str:
        """How the name of these tokens' state begins; its own hash follows."""
        key = json.dumps([*self._maker, list(tokens)]).encode()
        return f"prompt-{hashlib.sha256(key).hexdigest()[:32]}"

    def _drop_oldest(self) -> None:
        states = sorted(self._folder.glob("prompt-*.state"), key=lambda path: path.stat().st_mtime)
        for path in states[:-_KEPT_FILES]:
            path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
