"""The least that llama.cpp can be asked for, prefill, decode, sample: what the app is held against.

A process that stays: each line on stdin is one run, each answer one JSON line of seconds.

    python -m tests.bench.bare_loop MODEL THREADS MICRO_BATCH CONTEXT TEMPERATURE
    > 150 300 64    (tokens there already, prompt tokens, tokens to generate)
    < {"prefill_s": 3.1, "decode_s": 4.9}
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from typing import Any

from llama_cpp import llama_cpp as lib


def _say_nothing(_level: int, _text: bytes, _data: object) -> None:
    """llama.cpp's own lines would stand among the answers."""


class BareLoop:
    """One model, the engine's settings, and nothing around them."""

    def __init__(self, path: str, threads: int, micro_batch: int, context: int) -> None:
        self._quiet = lib.llama_log_callback(_say_nothing)
        lib.llama_log_set(self._quiet, ctypes.c_void_p(0))
        lib.llama_backend_init()
        self._model = lib.llama_model_load_from_file(
            path.encode(), lib.llama_model_default_params()
        )
        self._vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self._model))
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = context
        parameters.n_batch = parameters.n_ubatch = micro_batch
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._micro_batch = micro_batch
        self._context = lib.llama_init_from_model(self._model, parameters)

    def run(self, reused: int, prompt: int, generated: int, sampler: Any) -> dict[str, float]:
        """Seconds that a prompt and an answer of these lengths take, behind what is there."""
        lib.llama_memory_clear(lib.llama_get_memory(self._context), True)
        self._prefill(reused)
        started = time.monotonic()
        self._prefill(prompt)
        token = lib.llama_sampler_sample(sampler, self._context, -1)
        read = time.monotonic()
        for _ in range(generated - 1):
            self._decode([token])
            token = lib.llama_sampler_sample(sampler, self._context, -1)
        return {"prefill_s": read - started, "decode_s": time.monotonic() - read}

    def _prefill(self, count: int) -> None:
        tokens = [(17 * place + 3) % self._vocabulary for place in range(count)]
        for start in range(0, count, self._micro_batch):
            self._decode(tokens[start : start + self._micro_batch])

    def _decode(self, tokens: list[int]) -> None:
        array = (lib.llama_token * len(tokens))(*tokens)
        if lib.llama_decode(self._context, lib.llama_batch_get_one(array, len(tokens))) != 0:
            raise RuntimeError("llama_decode failed")

    def sampler(self, temperature: float) -> Any:
        """The app's own chain of samplers, with its default numbers."""
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for part in (
            lib.llama_sampler_init_penalties(self._vocabulary, 128, 1.1, 0.0, 0.0),
            lib.llama_sampler_init_top_k(40),
            lib.llama_sampler_init_top_p(0.95, 1),
            lib.llama_sampler_init_min_p(0.05, 1),
            lib.llama_sampler_init_temp(temperature),
            lib.llama_sampler_init_dist(0),
        ):
            lib.llama_sampler_chain_add(chain, part)
        return chain


def main() -> None:
    """Answer runs until stdin ends."""
    path, threads, micro_batch, context, temperature = sys.argv[1:]
    loop = BareLoop(path, int(threads), int(micro_batch), int(context))
    print("{}", flush=True)
    for line in sys.stdin:
        reused, prompt, generated = map(int, line.split())
        sampler = loop.sampler(float(temperature))
        print(json.dumps(loop.run(reused, prompt, generated, sampler)), flush=True)
        lib.llama_sampler_free(sampler)


if __name__ == "__main__":
    main()
