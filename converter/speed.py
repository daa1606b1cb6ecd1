"""How fast a file runs here and what memory it takes, each file in a process of its own.

    python -I -m converter.speed MODEL THREADS PROMPT GENERATE EXTRA

Memory is the highest the process ever held, so two files in one process could not be told apart;
and a kernel that crashes (`notes/llama_cpp.md` knows of some) takes that process alone with it.
The engine's own door to llama.cpp is timed, since that is what a board runs. The process is
isolated as the engine's is, so that no folder it runs in can slip code into it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.boards import profile
from app.errors import EngineError
from app.sanitise import one_line

if TYPE_CHECKING:
    from app.engine.llama import Llama

_REPEATS = 3
_STATUS = Path("/proc/self/status")
_TEXT = "The patient asked what the blood test of last week had shown. "


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians over a few runs after a first one that warms up."""

    prefill: float
    """Tokens of a prompt read in a second."""
    decode: float
    """Tokens generated in a second."""
    memory: int | None
    """Bytes resident at the highest, Python and llama.cpp included; None where no one tells."""
    threads: int
    prompt: int
    """Tokens of the prompt."""
    generated: int
    """Tokens generated after it."""
    repacked: bool
    """Whether the weights were put into the order that this processor's kernels prefer."""


def measure_speed(model: Path, *, threads: int, prompt: int = 256, generate: int = 48) -> Speed:
    """Run the file in a process of its own, and again without repacked weights if that dies.

    Raises:
        EngineError: it could not be run either way.
    """
    for extra in (True, False):
        numbers = [str(number) for number in (threads, prompt, generate, int(extra))]
        ended = subprocess.run(
            [sys.executable, "-I", "-m", "converter.speed", str(model), *numbers],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode == 0:
            return Speed(**json.loads(ended.stdout.splitlines()[-1]))
        if ended.returncode > 0:
            break
    told = one_line(ended.stderr.strip().rpartition("\n")[2], 200) or f"code {ended.returncode}"
    raise EngineError(f"The speed of {one_line(model.name)} could not be measured: {told}")


def _measure(model: str, threads: int, prompt: int, generate: int, extra: bool) -> Speed:
    from app.engine.llama import Llama, StopFlag

    settings = dataclasses.replace(
        profile("generic").settings,
        decode_threads=threads,
        prefill_threads=threads,
        extra_buffers=extra,
    )
    llama = Llama(model, settings, max(64, prompt + generate), StopFlag())
    room = llama.trained_context
    prompt, generate = min(prompt, room // 2), min(generate, room // 4)
    words = llama.tokenize(_TEXT, special=False)
    tokens = (words * (1 + (prompt + generate) // len(words)))[: prompt + generate]
    _run(llama, tokens, min(prompt, 32))
    runs = [_run(llama, tokens, prompt) for _ in range(_REPEATS)]
    return Speed(
        prefill=prompt / statistics.median(prefill for prefill, _ in runs),
        decode=generate / statistics.median(decode for _, decode in runs),
        memory=_peak(),
        threads=threads,
        prompt=prompt,
        generated=generate,
        repacked=extra,
    )


def _run(llama: Llama, tokens: list[int], prompt: int) -> tuple[float, float]:
    """Seconds for the prompt and for the tokens after it, one by one.

    The tokens are given and not sampled: what comes out of a draw would differ from file to file.
    """
    llama.clear()
    begun = time.perf_counter()
    for start in range(0, prompt, llama.micro_batch):
        piece = tokens[start : min(start + llama.micro_batch, prompt)]
        llama.evaluate(piece, start, wants_logits=start + len(piece) == prompt)
    read = time.perf_counter()
    for place in range(prompt, len(tokens)):
        llama.evaluate(tokens[place : place + 1], place, wants_logits=True)
    return read - begun, time.perf_counter() - read


def _peak() -> int | None:
    """Bytes that this program held at the highest.

    From /proc: `getrusage` also counts what the process held before it became this program.
    """
    if not _STATUS.exists():
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def main(arguments: list[str]) -> None:
    """Measure as told on the command line and print the result as one line of JSON."""
    model, threads, prompt, generate, extra = arguments
    found = _measure(model, int(threads), int(prompt), int(generate), extra == "1")
    print(json.dumps(dataclasses.asdict(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
