"""What the monitor itself takes: processor seconds a minute at one reading a second.

    python -m tests.bench.monitor_bench [SECONDS]

Three machines: a fake Raspberry Pi 5 asked through the mailbox, the same one asked through a
command that is started for every reading, and this machine. The bar is 0.6 s a minute (1 % of one
core). The whole process is measured, with the commands it starts, and not only what the monitor
says of itself; time that the kernel or the firmware would take to measure on a real board is not
in it.
"""

from __future__ import annotations

import resource
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.engine.messages import Loaded
from app.monitor.devices import Devices, run_command
from app.monitor.recorder import RunRecorder
from app.monitor.sampler import Sampler
from tests.app.monitor.boards import PMIC_REPLY, pi5, tree

BAR = 0.6
"""Processor seconds a minute."""

_MODEL = Loaded("none", "llama", 0, 0, {}, 1, 1, "file", "", "none", True)
_REPLIES = {"get_throttled": "throttled=0x0", "pmic_read_adc": PMIC_REPLY}


def main() -> None:
    """Print a line for each machine."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as folder:
        for name, devices in _machines(Path(folder)):
            whole, own = measure(devices, seconds, Path(folder) / "runs")
            verdict = "within" if whole <= BAR else "OVER"
            print(
                f"{name:<28} {whole:5.2f} s a minute, {verdict} {BAR} "
                f"(the monitor says {own:.2f} of its own threads)"
            )


def measure(devices: Devices, seconds: float, runs: Path) -> tuple[float, float]:
    """Processor seconds a minute: of the process with its children, and by the monitor's own word.

    Finding the sensors at the start is left out; writing the run's log is not.
    """
    sampler = Sampler(devices)
    recorder = RunRecorder(runs, "generic", print, devices)
    sampler.start()
    recorder.start(_MODEL, None, 1, sampler)
    time.sleep(1.5)
    before, own_before, begin = _processor_seconds(), sampler.cpu_s, time.monotonic()
    time.sleep(seconds)
    minutes = (time.monotonic() - begin) / 60
    whole, own = _processor_seconds() - before, sampler.cpu_s - own_before
    sampler.stop()
    recorder.end("bench")
    return whole / minutes, own / minutes


def _processor_seconds() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _machines(folder: Path) -> Iterator[tuple[str, Devices]]:
    root = folder / "pi5"
    pi5(root)
    tree(root, {"dev/vcio": b"", "reply": PMIC_REPLY})
    yield "fake Pi 5 by mailbox", Devices(root, control=_mailbox)
    script = folder / "vcgencmd"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = get_throttled ] && echo throttled=0x0 || cat "{root}/reply"\n'
    )
    script.chmod(0o755)

    def run(arguments: Sequence[str]) -> bytes:
        return run_command([str(script), *arguments[1:]])

    (root / "dev/vcio").unlink()
    yield "fake Pi 5 by vcgencmd", Devices(root, run=run)
    yield "this machine", Devices()


def _mailbox(descriptor: int, request: int, buffer: bytearray) -> None:
    command = bytes(buffer[24:1048]).rstrip(b"\0").decode()
    buffer[24:1048] = _REPLIES[command].replace("\n", "\0").encode().ljust(1024, b"\0")
    struct.pack_into("=I", buffer, 20, 0)


if __name__ == "__main__":
    main()
