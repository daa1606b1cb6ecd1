"""An engine made of a script: `python fake_engine.py FOLDER`, speaking the protocol.

FOLDER/script.json holds, for each start of the process, what to do on which request; the last
entry holds for all later starts. What was asked is noted in FOLDER/requests.jsonl.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LOADED = {
    "type": "Loaded", "name": "fake", "architecture": "llama", "parameters": 1, "bytes": 1,
    "census": {"F32": 1}, "trained_context": 512, "context": 512, "template": "file",
    "system_info": "", "llama_cpp": "0", "extra_buffers": True,
}  # fmt: skip
_FINISHED = {
    "type": "Finished", "reason": "stop", "prompt_tokens": 9, "reused": 4, "evaluated": 5,
    "generated": 1, "prefill_s": 0.1, "decode_s": 0.1, "resident_bytes": 1,
}  # fmt: skip
_FAILED = {"type": "Failed", "code": "memory", "sentence": "Too little memory.", "detail": {}}
_TEXT = {"type": "Text", "text": "Yes", "tokens": 1}
_ANSWERS: dict[str, list[dict[str, Any]]] = {
    "Load": [{"type": "Loading", "fraction": 0.5}, _LOADED],
    "Warm": [{"type": "Warmed", "tokens": 4, "restored": False, "seconds": 0.1}],
    "Generate": [{"type": "Prefill", "done": 0, "total": 5, "reused": 4}, _TEXT, _FINISHED],
    "Count": [{"type": "Counted", "tokens": 9}],
    "Reset": [{"type": "Cleared"}],
}
_DEATHS = {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "term": signal.SIGTERM}


def main() -> None:
    """Answer until told to quit."""
    folder = Path(sys.argv[1])
    starts = folder / "starts"
    start = len(starts.read_text()) if starts.exists() else 0
    with starts.open("a") as file:
        file.write("x")
    script = json.loads((folder / "script.json").read_text())
    todo = script[min(start, len(script) - 1)]
    requests = _requests(folder, start)
    for request in requests:
        if request["type"] == "Quit":
            return
        if request["type"] in _ANSWERS:
            _answer(request["type"], todo.get(request["type"], ""), requests)


def _requests(folder: Path, start: int) -> Iterator[dict[str, Any]]:
    """What comes in, noted first."""
    for line in sys.stdin:
        request = json.loads(line)
        with (folder / "requests.jsonl").open("a") as file:
            file.write(json.dumps({"start": start, **request}) + "\n")
        yield request


def _answer(kind: str, action: str, requests: Iterator[dict[str, Any]]) -> None:
    """Do as the script says (`kill`, `text segv`, `fail`, `wait`, `dawdle`, …), or as asked."""
    *said, deed = action.split() or [""]
    answers = _ANSWERS[kind]
    if said:
        _send(*answers[:-1])
    if deed in _DEATHS:
        os.kill(os.getpid(), _DEATHS[deed])
        time.sleep(60)
    elif deed == "exit":
        os._exit(3)
    elif deed == "fail":
        _send(_FAILED)
    elif deed == "garbage":
        print("llama_model_loader: done\nllama_model_loader: and again", flush=True)
        _send(*answers)
    elif deed == "endless":
        sys.stdout.write("x" * (17 << 20))
        sys.stdout.flush()
    elif deed == "dawdle":
        next(request for request in requests if request["type"] == "Cancel")
        time.sleep(0.3)
        _send({**_FINISHED, "reason": "cancelled"})
    elif deed == "wait":
        _send(*answers[:-1])
        next(request for request in requests if request["type"] == "Cancel")
        _send(_TEXT, {**_FINISHED, "reason": "cancelled"})
    else:
        _send(*answers)


def _send(*events: dict[str, Any]) -> None:
    for event in events:
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
