"""Make stock_hashes.json: what llama.cpp's own converter writes for the small checkpoints.

It needs PyTorch and transformers, which this project does not, so it is run by hand, from the
repository's root, when the pinned llama-cpp-python changes:

    python -m venv /tmp/stock
    /tmp/stock/bin/pip install torch transformers sentencepiece
    pip download llama-cpp-python==0.3.36 --no-deps --no-binary :all: -d /tmp && tar -xf /tmp/llama*
    PYTHONPATH=.:LC/gguf-py /tmp/stock/bin/python tests/converter/data/make_stock_hashes.py LC

where LC is the folder vendor/llama.cpp of that source.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.converter.checkpoints import RECIPES, build
from tests.converter.gguffile import keys, tensors

OUT = Path(__file__).with_name("stock_hashes.json")
TYPES = ("F32", "F16", "BF16")


def main(llama_cpp: Path) -> None:
    """Convert every recipe to every type and keep what came out."""
    made: dict[str, Any] = {}
    auto: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, recipe in RECIPES.items():
            folder = build(Path(scratch) / name, recipe)
            files = {kind: _convert(llama_cpp, folder, kind) for kind in TYPES}
            for kind, file in files.items():
                made[f"{name} {kind}"] = {"tensors": tensors(file), "keys": keys(file)}
            guessed = _convert(llama_cpp, folder, "auto").read_bytes()
            auto[name] = next(kind for kind in TYPES if files[kind].read_bytes() == guessed)
    used = {name: importlib.metadata.version(name) for name in ("torch", "transformers")}
    told = {"llama-cpp-python": "0.3.36", "with": used, "auto": auto, "made": made}
    OUT.write_text(_packed(told), encoding="utf-8")


def _convert(llama_cpp: Path, folder: Path, kind: str) -> Path:
    file = folder.with_name(f"{folder.name}.{kind}.gguf")
    script = llama_cpp / "convert_hf_to_gguf.py"
    command = [script, folder, "--outfile", file, "--outtype", kind.lower()]
    subprocess.run([sys.executable, *map(str, command)], check=True)
    return file


def _packed(told: dict[str, Any]) -> str:
    """JSON with a line for each tensor and key, so that a change can be read."""
    blocks = []
    for name, file in told.pop("made").items():
        lines = ",\n".join(json.dumps(tensor) for tensor in file["tensors"])
        pairs = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in file["keys"].items())
        blocks.append(f'{json.dumps(name)}: {{"tensors": [\n{lines}],\n"keys": {{\n{pairs}}}}}')
    head = json.dumps(told)[:-1]
    return f'{head},\n"made": {{\n' + ",\n".join(blocks) + "}}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
