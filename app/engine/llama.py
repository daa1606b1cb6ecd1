"""The only file of the app that touches llama.cpp: one model, one context, one sequence.

Everything is in tokens here; templates, turns and kept answers are the rooms above. The calls are
llama.cpp's own C functions: the high-level class of the bindings blanks the screen, cannot be
stopped during a prefill, and tokenises with no difference between a template and what was typed.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from llama_cpp import llama_cpp as lib

from app.engine.messages import EngineSettings, KvType, Sampling
from app.engine.stopping import Stopped
from app.errors import BadInputError, EngineError, ResourceError

_KV_TYPES: dict[KvType, int] = {
    "f32": lib.GGML_TYPE_F32,
    "f16": lib.GGML_TYPE_F16,
    "q8_0": lib.GGML_TYPE_Q8_0,
}
_LOG_WARNING, _LOG_ERROR = 3, 4
_ABORTED = 2
_LONGEST_PIECE = 512
_MOST_TOKENS = 1 << 26


def system_info() -> str:
    """What llama.cpp was built with and found on this processor, in its own words."""
    return str(lib.llama_print_system_info().decode("utf-8", "replace")).strip(" |")


def llama_cpp_version() -> str:
    """The version of the bindings, which names that of llama.cpp too."""
    return version("llama-cpp-python")


class StopFlag:
    """A flag that llama.cpp reads between two nodes of its graph, without Python.

    The abort callback is called thousands of times a second; a Python function there would fight
    for the interpreter's lock with every node. `strlen` over a two-byte buffer is the same
    question in C: the empty string says go on, a string of one character says stop.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        """The same flag for Python code that waits."""
        self._buffer = ctypes.create_string_buffer(64)
        self.address = ctypes.addressof(self._buffer)
        self.callback = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)

    def set(self) -> None:
        self._buffer[0] = b"!"
        self.event.set()

    def clear(self) -> None:
        self._buffer[0] = b"\0"
        self.event.clear()


class Llama:
    """A loaded model with its context. Not for use by two threads at once, the stop flag apart."""

    def __init__(
        self,
        path: str,
        settings: EngineSettings,
        context: int,
        stop_flag: StopFlag,
        progress: Callable[[float], None] = lambda _fraction: None,
    ) -> None:
        """Open the file. Raises BadInputError where llama.cpp refuses it."""
        self._stop_flag = stop_flag  # llama.cpp reads its buffer for as long as the model lives
        lib.llama_log_set(_log_callback(), ctypes.c_void_p(0))
        lib.llama_backend_init()
        self._model = _open_model(path, settings, progress)
        self._vocab = lib.llama_model_get_vocab(self._model)
        try:
            self._context = _open_context(self._model, settings, context, stop_flag)
        except ResourceError:
            lib.llama_model_free(self._model)
            raise
        self._memory = lib.llama_get_memory(self._context)
        self._batch = lib.llama_batch_init(settings.micro_batch, 0, 1)
        self.micro_batch = settings.micro_batch
        self.bos = int(lib.llama_vocab_bos(self._vocab))
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self._vocab)) and self.bos >= 0

    def close(self) -> None:
        """Free everything. The object is of no use afterwards."""
        lib.llama_batch_free(self._batch)
        lib.llama_free(self._context)
        lib.llama_model_free(self._model)

    @property
    def trained_context(self) -> int:
        return int(lib.llama_model_n_ctx_train(self._model))

    def tokenize(self, text: str, special: bool) -> list[int]:
        """Token ids of the text alone: no BOS is added. `special` reads `<|im_end|>` as a token."""
        raw = text.encode("utf-8", "replace")
        count = -len(raw) - 8
        while count < 0:  # the negative of the room it needs: a space may become three byte tokens
            room = -count
            tokens = (lib.llama_token * room)()
            count = lib.llama_tokenize(self._vocab, raw, len(raw), tokens, room, False, special)
            if count < -_MOST_TOKENS:
                raise EngineError("The text is too long to be turned into tokens.")
        return tokens[:count]

    def token_text(self, token: int) -> str:
        """A special token as it is written, e.g. `<s>`; empty for none (id −1)."""
        return "" if token < 0 else self.piece(token, special=True).decode("utf-8", "replace")

    @property
    def eos(self) -> int:
        return int(lib.llama_vocab_eos(self._vocab))

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes a token stands for; special tokens stand for none unless asked."""
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
        length = lib.llama_token_to_piece(self._vocab, token, buffer, _LONGEST_PIECE, 0, special)
        if length < 0:  # the negative of the length it needs
            buffer = ctypes.create_string_buffer(-length)
            length = lib.llama_token_to_piece(self._vocab, token, buffer, -length, 0, special)
        return buffer.raw[: max(length, 0)]

    def ends_generation(self, token: int) -> bool:
        return bool(lib.llama_vocab_is_eog(self._vocab, token))

    def is_control(self, token: int) -> bool:
        return bool(lib.llama_vocab_is_control(self._vocab, token))

    def evaluate(self, tokens: Sequence[int], position: int, wants_logits: bool) -> None:
        """Put at most `micro_batch` tokens into the cache at `position`.

        With `wants_logits` the next token can be sampled. Raises Stopped when the stop flag was
        set meanwhile; the cache then ends at `position` as before.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = position + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = 0
        batch.logits[len(tokens) - 1] = wants_logits
        status = lib.llama_decode(self._context, batch)
        if status == 0:
            return
        self.cut(position)
        if status == _ABORTED:
            raise Stopped
        raise EngineError(f"llama.cpp could not evaluate the text (status {status}).")

    def cut(self, length: int) -> bool:
        """Drop the cache from `length` on. False where this model's cache cannot be cut."""
        return bool(lib.llama_memory_seq_rm(self._memory, 0, length, -1))

    def clear(self) -> None:
        lib.llama_memory_clear(self._memory, True)

    def set_decode_threads(self, count: int) -> None:
        """Threads for one token at a time; a prefill keeps its own."""
        prefill = lib.llama_n_threads_batch(self._context)
        lib.llama_set_n_threads(self._context, count, prefill)

    def save_state(self, path: str, tokens: Sequence[int]) -> int:
        """Write the cache and the tokens it holds. Returns the bytes written, 0 on failure."""
        array = (lib.llama_token * len(tokens))(*tokens)
        saved = lib.llama_state_seq_save_file(self._context, path.encode(), 0, array, len(tokens))
        return int(saved)

    def load_state(self, path: str, room: int) -> list[int]:
        """Read a kept cache. Returns the tokens it holds; none where it does not fit."""
        array = (lib.llama_token * room)()
        count = ctypes.c_size_t(0)
        read = lib.llama_state_seq_load_file(
            self._context, path.encode(), 0, array, room, ctypes.byref(count)
        )
        return array[: count.value] if read else []


class Sampler:
    """Chooses tokens: penalties, then the candidates' cuts, then temperature and chance."""

    def __init__(self, llama: Llama, sampling: Sampling) -> None:
        self._context = llama._context
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for part in _sampler_parts(sampling, lib.llama_vocab_n_tokens(llama._vocab)):
            lib.llama_sampler_chain_add(self._chain, part)

    def sample(self) -> int:
        """The next token after the last one evaluated with logits."""
        return int(lib.llama_sampler_sample(self._chain, self._context, -1))

    def close(self) -> None:
        lib.llama_sampler_free(self._chain)


def _sampler_parts(sampling: Sampling, vocabulary: int) -> list[Any]:
    parts = []
    if sampling.repeat_penalty != 1.0:
        parts.append(
            lib.llama_sampler_init_penalties(
                vocabulary, sampling.repeat_window, sampling.repeat_penalty, 0.0, 0.0
            )
        )
    if sampling.temperature <= 0:
        return [*parts, lib.llama_sampler_init_greedy()]
    return [
        *parts,
        lib.llama_sampler_init_top_k(sampling.top_k),
        lib.llama_sampler_init_top_p(sampling.top_p, 1),
        lib.llama_sampler_init_min_p(sampling.min_p, 1),
        lib.llama_sampler_init_temp(sampling.temperature),
        lib.llama_sampler_init_dist(sampling.seed),
    ]


def _open_model(path: str, settings: EngineSettings, progress: Callable[[float], None]) -> Any:
    parameters = lib.llama_model_default_params()
    parameters.n_gpu_layers = settings.gpu_layers
    parameters.load_mode = lib.LLAMA_LOAD_MODE_MMAP if settings.mmap else lib.LLAMA_LOAD_MODE_NONE
    parameters.use_extra_bufts = settings.extra_buffers

    def report(fraction: float, _data: object) -> bool:
        progress(fraction)
        return True

    callback = lib.llama_progress_callback(report)
    parameters.progress_callback = callback
    model = lib.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        raise BadInputError("llama.cpp cannot load this model file; the engine's log says why.")
    return model


def _open_context(model: Any, settings: EngineSettings, context: int, stop: StopFlag) -> Any:
    parameters = lib.llama_context_default_params()
    parameters.n_ctx = context
    parameters.n_batch = settings.micro_batch
    parameters.n_ubatch = settings.micro_batch
    parameters.n_threads = settings.decode_threads
    parameters.n_threads_batch = settings.prefill_threads
    parameters.flash_attn_type = (
        lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        if settings.flash_attention
        else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    parameters.type_k = _KV_TYPES[settings.key_type]
    parameters.type_v = _KV_TYPES[settings.value_type]
    parameters.abort_callback = stop.callback
    parameters.abort_callback_data = stop.address
    opened = lib.llama_init_from_model(model, parameters)
    if not opened:
        raise ResourceError("llama.cpp could not set up its memory for this model.")
    return opened


@cache
def _log_callback() -> Any:
    """One for the process: llama.cpp calls it as long as it runs, whatever was closed meanwhile."""
    return lib.llama_log_callback(_keep_warnings)


def _keep_warnings(level: int, text: bytes, _data: object) -> None:
    """llama.cpp's warnings and errors go to the engine's log; its chatter goes nowhere."""
    if level in (_LOG_WARNING, _LOG_ERROR):
        print(text.decode("utf-8", "replace"), end="", flush=True)
