"""Five greedy answers of the demonstration model, kept by kind of processor.

    python -m tests.app.engine.golden MODEL.gguf

runs the model and writes this machine's entry into golden.json. Do so after a change that is meant
to change answers (another llama.cpp, another quantiser), and look at the difference first.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

from app.assistant.notices import SYSTEM_PROMPT
from app.engine.llama import system_info
from app.engine.messages import EngineSettings, Generate, Message, Reset, Sampling
from tests.app.engine.helpers import Bench, said

KEPT = Path(__file__).with_name("golden.json")
QUESTIONS = (
    "What are the symptoms of glaucoma?",
    "What causes high blood pressure?",
    "How is asthma treated?",
    "What is anaemia?",
    "Who is at risk of gout?",
)
_TOKENS = 24
_SETTINGS = EngineSettings(
    context=1024, decode_threads=1, prefill_threads=1, micro_batch=128, extra_buffers=False
)
"""Repacked weights are left out: their kernels differ between processors of one kind."""
_NO_MATTER = ("OPENMP", "REPACK")

Answers = list[dict[str, Any]]


def processor() -> str:
    """The kind of processor: what llama.cpp chooses its kernels by."""
    words = system_info().replace("CPU :", "").split("|")
    features = sorted(word.split("=")[0].strip() for word in words if word.strip().endswith("1"))
    return " ".join([platform.machine(), *(one for one in features if one not in _NO_MATTER)])


def answers(model: Path) -> Answers:
    """Question, text and token ids of each answer."""
    bench = Bench()
    bench.load(model, settings=_SETTINGS)
    return [_answer(bench, question) for question in QUESTIONS]


def _answer(bench: Bench, question: str) -> dict[str, Any]:
    bench.do(Reset())
    messages = (Message("system", SYSTEM_PROMPT), Message("user", question))
    # One more than is kept: the last token of an answer that is cut is not in the cache.
    sampling = Sampling(temperature=0.0, max_tokens=_TOKENS + 1, guard_repetition=False)
    text = said(bench.do(Generate(messages, sampling)))
    ids = bench.cache[len(bench.prompt(messages)) :][:_TOKENS]
    return {"question": question, "text": text, "ids": ids}


def kept() -> dict[str, Answers]:
    """The entries, by kind of processor."""
    entries: dict[str, Answers] = json.loads(KEPT.read_text(encoding="utf-8"))
    return entries


def _write(model: Path) -> None:
    entries = kept() if KEPT.exists() else {}
    entries[processor()] = answers(model)
    text = json.dumps(entries, indent=1, sort_keys=True, ensure_ascii=False)
    KEPT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
