"""The state of the fixed prompt, kept on disk so that the first answer need not compute it again.

Only the fixed prompt is ever kept: the same bytes in every session, no word of a user. A file is
named by everything its content depends on, so that another model, another llama.cpp or another
prompt simply finds none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from app.engine.messages import EngineSettings

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

    def path(self, tokens: Sequence[int]) -> Path:
        """Where the state of exactly these tokens lies or would lie."""
        key = json.dumps([*self._maker, list(tokens)]).encode()
        return self._folder / f"prompt-{hashlib.sha256(key).hexdigest()[:32]}.state"

    def restore(self, holder: StateHolder, tokens: Sequence[int]) -> bool:
        """Read the state of `tokens` into the cache. A file that does not fit is removed."""
        path = self.path(tokens)
        if not path.is_file():
            return False
        if holder.load_state(str(path), len(tokens) + 1) == list(tokens):
            os.utime(path)
            return True
        holder.clear()
        path.unlink(missing_ok=True)
        return False

    def keep(self, holder: StateHolder, tokens: Sequence[int]) -> None:
        """Write the state of `tokens`, whole or not at all. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path(tokens)
        partial = path.with_suffix(f".{os.getpid()}.part")
        try:
            if holder.save_state(str(partial), tokens):
                partial.chmod(0o600)
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        states = sorted(self._folder.glob("prompt-*.state"), key=lambda path: path.stat().st_mtime)
        for path in states[:-_KEPT_FILES]:
            path.unlink(missing_ok=True)
