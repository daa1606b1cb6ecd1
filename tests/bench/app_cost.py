"""What the whole app costs: its decode and prefill over those of a bare llama.cpp loop.

    python -m tests.bench.app_cost MODEL [--pairs 20]

The chat runs in a pseudo-terminal with the monitor's panel open; the bare loop is another process
with the same threads, micro-batch and samplers. They take turns, the order changing from pair to
pair, and while the bare loop runs the chat's screen is stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.boards import profile
from app.engine.messages import EngineSettings
from tests.bench.driven_chat import DrivenChat
from tests.bench.statistics import median

_BAR = 0.97
_GENERATED = 48
_CONTEXT = 1024
_TEMPERATURE = "1.0"
_QUESTION = "What is it that hurts here and why does it not stop? " * 6
"""Some 400 tokens: the synthetic vocabulary knows no English and spells it out."""
_SETTINGS = {
    "BEDSIDE_CONTEXT": str(_CONTEXT),
    "BEDSIDE_SAMPLING__MAX_TOKENS": str(_GENERATED),
    "BEDSIDE_SAMPLING__TEMPERATURE": _TEMPERATURE,
    "BEDSIDE_SAMPLING__GUARD_REPETITION": "false",
    "BEDSIDE_BOARD": "generic",
}


class Bare:
    """The bare loop's process."""

    def __init__(self, model: Path, settings: EngineSettings) -> None:
        numbers = (settings.prefill_threads, settings.micro_batch, _CONTEXT, _TEMPERATURE)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare_loop", str(model), *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def run(self, turn: dict[str, Any]) -> dict[str, float]:
        """Seconds of a run with as many tokens as a turn of the app, behind as many reused."""
        assert self._process.stdin is not None
        sizes = (turn["reused"], turn["evaluated"], turn["generated"])
        self._process.stdin.write(" ".join(map(str, sizes)) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _read(self) -> dict[str, float]:
        assert self._process.stdout is not None
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer


def measure(model: Path, pairs: int) -> None:
    """Run the pairs and print the ratios with their verdicts, then the memory."""
    settings = profile("generic").settings
    print(f"threads {settings.decode_threads}, micro-batch {settings.micro_batch}, {pairs} pairs")
    with (
        tempfile.TemporaryDirectory() as home,
        DrivenChat(Path(home), model, _SETTINGS) as chat,
    ):
        chat.wait_until_loaded()
        chat.type("\x1b[13~")  # F3: the monitor's panel
        bare = Bare(model, settings)
        turn = _app_turn(chat)
        bare.run(turn)  # both are warm now
        ratios = [_pair(chat, bare, turn, app_first=bool(n % 2)) for n in range(pairs)]
        _print_memory(chat, model)
        bare.close()
    for name, values in zip(("prefill", "decode"), zip(*ratios, strict=True), strict=True):
        found = median(values)
        print(f"{name}: app over bare {found}; at least {_BAR}: {found.verdict(_BAR)}")


def _app_turn(chat: DrivenChat) -> dict[str, Any]:
    chat.forget()
    return chat.ask(_QUESTION)


def _pair(
    chat: DrivenChat, bare: Bare, like: dict[str, Any], app_first: bool
) -> tuple[float, float]:
    """Ratios of speed, prefill and decode, of one run each; every turn is as long as the first."""
    turn = _app_turn(chat) if app_first else {}
    chat.pause()
    alone = bare.run(like)
    chat.resume()
    turn = turn or _app_turn(chat)
    prefill = turn["evaluated"] / turn["prefill_s"] * alone["prefill_s"] / like["evaluated"]
    # The first token's sampling counts as decoding in both, its evaluation as prefill.
    decode = turn["generated"] / turn["decode_s"] * alone["decode_s"] / like["generated"]
    print(f"  prefill {prefill:.3f}  decode {decode:.3f}", flush=True)
    return prefill, decode


def _print_memory(chat: DrivenChat, model: Path) -> None:
    resident = [_resident(pid) for pid in (chat.process.pid, chat.engine_pid())]
    total, file = sum(resident), model.stat().st_size
    print(
        f"memory: screen {resident[0] / 1e6:.0f} MB, engine {resident[1] / 1e6:.0f} MB; "
        f"{(total - file) / 1e6:.0f} MB more than the model's file of {file / 1e6:.0f} MB"
    )


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="The app's cost over a bare llama.cpp loop.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    measure(options.model, options.pairs)


if __name__ == "__main__":
    main()
