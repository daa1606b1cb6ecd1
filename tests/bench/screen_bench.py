"""What the screen costs: `python -m tests.bench.screen_bench`.

The chat runs in a pseudo terminal with a scripted assistant. A key is timed from the byte that
goes in to the letter that comes out, while a long list, the dearest thing to draw, streams at
20 tokens/s. The first paint is timed from the start of the process to the drawn prompt.
"""

from __future__ import annotations

import random
import statistics
import time

import psutil

from tests.app.ui.terminal import Terminal, run_in_terminal

DEMO = "tests.app.ui.demo"
PROMPT = b"ype your question"
LETTERS = "éèêëàâäîïôöûüçñåøæßÿ"
"""None of them is anywhere else on the screen, so the first one to come out is the echo."""

ROUNDS = 15
ITEMS = 200
IDLE_SECONDS = 10.0
STARTS = 7


def main() -> None:
    """Print one line for each number."""
    echoes = key_to_echo()
    p50, p95 = statistics.median(echoes), statistics.quantiles(echoes, n=20)[-1]
    print(
        f"key to echo while a list streams: p50 {p50:.1f} ms, p95 {p95:.1f} ms, "
        f"longest {max(echoes):.1f} ms of {len(echoes)} keys (bar: p95 50 ms)"
    )
    paints = [first_paint() for _ in range(STARTS)]
    print(
        f"first paint: median {statistics.median(paints):.0f} ms, longest {max(paints):.0f} ms "
        f"of {STARTS} starts (bar: 1000 ms)"
    )
    cpu, memory = idle()
    print(f"idle: {cpu:.2f} % of one core over {IDLE_SECONDS:.0f} s; {memory:.0f} MiB resident")


def key_to_echo() -> list[float]:
    """Milliseconds for each key, typed at uneven times while an answer grows."""
    chance = random.Random(1)
    echoes = []
    with run_in_terminal(DEMO, "0.05", str(ITEMS)) as terminal:
        _open(terminal)
        terminal.send(b"Go\r")
        terminal.read_until(b"answering")
        for _ in range(ROUNDS):
            for letter in LETTERS:
                terminal.settle_for(chance.uniform(0.03, 0.15))
                terminal.output = b""
                started = time.monotonic()
                terminal.send(letter.encode())
                echoes.append((terminal.read_until(letter.encode()) - started) * 1e3)
            terminal.send(b"\x15")  # Ctrl+U empties the prompt
            terminal.settle_for(0.2)
    return echoes


def first_paint() -> float:
    """Milliseconds from the start of the process to the drawn prompt."""
    started = time.monotonic()
    with run_in_terminal(DEMO) as terminal:
        return (terminal.read_until(PROMPT) - started) * 1e3


def idle() -> tuple[float, float]:
    """Per cent of one core, and MiB, while nothing happens."""
    with run_in_terminal(DEMO) as terminal:
        _open(terminal)
        terminal.settle_for(1.0)
        process = psutil.Process(terminal.pid)
        before = process.cpu_times()
        terminal.settle_for(IDLE_SECONDS)
        after = process.cpu_times()
        spent = after.user + after.system - before.user - before.system
        return spent / IDLE_SECONDS * 100, process.memory_info().rss / 2**20


def _open(terminal: Terminal) -> None:
    terminal.read_until(b"ready")


if __name__ == "__main__":
    main()
