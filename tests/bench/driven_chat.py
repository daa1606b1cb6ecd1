"""The real chat in a pseudo-terminal, typed into by a program; its run log tells what it did."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WAIT_SECONDS = 300.0


class DrivenChat:
    """`bedside` at 80x24 with TERM=linux, its folders inside `home`."""

    def __init__(self, home: Path, model: Path, settings: Mapping[str, str]) -> None:
        self._state = home / "state"
        self._master, slave = pty.openpty()
        folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in _FOLDERS}
        size = {"TERM": "linux", "COLUMNS": "80", "LINES": "24"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "--model", str(model)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **folders, **size, **settings},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = 0
        threading.Thread(target=self._drain, daemon=True).start()

    def __enter__(self) -> DrivenChat:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Whatever happened, no chat is left running."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def turns(self) -> list[dict[str, Any]]:
        """The turns that the run's log holds."""
        return [record for record in self._records() if record["type"] == "turn"]

    def wait_until_loaded(self) -> None:
        """Wait for the first sample of the run's log, which follows the model's loading."""
        self._wait(lambda: any(record["type"] == "sample" for record in self._records()))
        time.sleep(2.0)  # the fixed prompt is read after that

    def ask(self, question: str) -> dict[str, Any]:
        """Paste a question, send it, and wait for the log's record of its turn."""
        before = len(self.turns())
        self.type(f"\x1b[200~{question}\x1b[201~")
        time.sleep(0.5)
        self.type("\r")
        self._wait(lambda: len(self.turns()) > before)
        return self.turns()[before]

    def forget(self) -> None:
        """A new conversation; the key wants to be pressed twice."""
        for _ in range(2):
            self.type("\x0e")
            time.sleep(0.5)
        time.sleep(1.0)  # the engine reads the fixed prompt again

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def pause(self) -> None:
        """Stop the screen's process, so that it takes nothing from what is measured meanwhile."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def engine_pid(self) -> int:
        """The engine is the chat's one child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def _records(self) -> list[dict[str, Any]]:
        lines = [
            line
            for path in sorted(self._state.glob("bedside/runs/*.jsonl"))
            for line in path.read_text().split("\n")[:-1]
        ]
        return [json.loads(line) for line in lines]

    def _wait(self, ready: Any) -> None:
        end = time.monotonic() + _WAIT_SECONDS
        while not ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"the chat ended with {self.process.returncode}")
            if time.monotonic() > end:
                raise TimeoutError("the chat did not get there")
            time.sleep(0.1)

    def _drain(self) -> None:
        """Read what the screen draws, as a terminal would."""
        while True:
            try:
                self.seen += len(os.read(self._master, 65536))
            except OSError:  # closed
                return


_FOLDERS = ("CONFIG", "STATE", "CACHE", "DATA")
