"""The first rows of the README's table, one after the other: `make bench`.

They need nothing beside the repository; each of the other rows names its own command.
Half an hour on two cores, most of it the pairs of the app's cost and the converter's 1B
checkpoint. Leave the machine alone meanwhile. The synthetic models are kept in the cache folder.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from app.folders import Folders
from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.quantise import FileType
from tests.bench.synthetic_checkpoint import PRESETS, build


def _synthetic_model(folder: Path) -> Path:
    """About half a billion random weights at Q4_K_M."""
    model = folder / "synthetic-0.5b-Q4_K_M.gguf"
    if not model.exists():
        checkpoint = folder / "synthetic-0.5b"
        if not checkpoint.exists():
            build(checkpoint, PRESETS["0.5b"])
        write(lay_out(open_checkpoint(checkpoint), FileType.parse("Q4_K_M")), model, threads=2)
    return model


def main() -> None:
    """Run each bench as its own command, and show that command."""
    folder = Folders.standard().cache / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    model = shlex.quote(str(_synthetic_model(folder)))
    failed = []
    for command in (
        "screen_bench",
        "monitor_bench",
        f"stop {model}",
        f"app_cost {model} --pairs 20",
        "converter_bench --size 1b --repeat 3",
    ):
        print(f"\n$ python -m tests.bench.{command}", flush=True)
        arguments = [sys.executable, "-m", *shlex.split(f"tests.bench.{command}")]
        if subprocess.run(arguments, check=False).returncode:
            failed.append(command)
    if failed:
        sys.exit(f"Not measured to the end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
