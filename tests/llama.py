"""llama.cpp as tests use it: small, quiet, exact, and through the low-level binding alone."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp


@functools.cache
def _quiet() -> Any:
    """Silence the library once; the callback must live as long as the process."""

    def drop(level: int, text: bytes, data: ctypes.c_void_p) -> None:
        """Nobody reads it."""

    ignore: Any = llama_cpp.llama_log_callback(drop)
    llama_cpp.llama_log_set(ignore, ctypes.c_void_p())
    llama_cpp.llama_backend_init()
    return ignore


class Model:
    """A GGUF file opened by llama.cpp; made by `load` and `load_vocabulary`."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._vocab: Any = llama_cpp.llama_model_get_vocab(handle)

    @property
    def size(self) -> int:
        """How many tokens the vocabulary has."""
        return int(llama_cpp.llama_vocab_n_tokens(self._vocab))

    def tokenize(self, text: str, *, special: bool = False, edges: bool = False) -> list[int]:
        """The ids of a text.

        Args:
            text: any text without lone surrogates.
            special: whether control tokens written in the text count as such.
            edges: whether BOS and EOS are added as the file asks.
        """
        data = text.encode()
        room = len(data) + 8
        ids = (ctypes.c_int32 * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), ids, room, edges, special)
        assert count >= 0, "a token spans at least a byte"
        return list(ids[:count])

    def logits(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        """Logits of every position, float32 (tokens, vocabulary).

        Exact as the library can be: F32 keys and values, no flash attention, one thread.
        """
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = max(32, len(tokens))
        params.n_threads = params.n_threads_batch = 1
        params.type_k = params.type_v = llama_cpp.GGML_TYPE_F32
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context: Any = llama_cpp.llama_init_from_model(self._handle, params)
        assert context, "llama.cpp made no context"
        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        try:
            for position, token in enumerate(tokens):
                batch.token[position] = token
                batch.pos[position] = position
                batch.n_seq_id[position] = 1
                batch.seq_id[position][0] = 0
                batch.logits[position] = 1
            batch.n_tokens = len(tokens)
            assert llama_cpp.llama_decode(context, batch) == 0
            out: Any = llama_cpp.llama_get_logits(context)
            return np.array(np.ctypeslib.as_array(out, (len(tokens), self.size)))
        finally:
            llama_cpp.llama_batch_free(batch)
            llama_cpp.llama_free(context)


@contextmanager
def _open(path: Path, *, vocab_only: bool) -> Iterator[Model]:
    _quiet()
    params = llama_cpp.llama_model_default_params()
    params.vocab_only = vocab_only
    params.n_gpu_layers = 0
    params.use_extra_bufts = False  # AMX kernels crash on some machines and round on others
    handle: Any = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    assert handle, f"llama.cpp refused {path.name}"
    try:
        yield Model(handle)
    finally:
        llama_cpp.llama_model_free(handle)


def load(path: Path) -> AbstractContextManager[Model]:
    """A whole model, as a context manager."""
    return _open(path, vocab_only=False)


def load_vocabulary(path: Path) -> AbstractContextManager[Model]:
    """A file's vocabulary alone, as a context manager; the file needs no tensors."""
    return _open(path, vocab_only=True)


def quantise(
    source: Path,
    out: Path,
    ftype: int,
    *,
    threads: int = 1,
    imatrix: Mapping[str, npt.NDArray[np.float32]] | None = None,
    overrides: Sequence[tuple[str, int]] = (),
) -> bool:
    """The library's own quantiser, from file to file; whether it went through with it.

    Args:
        source: an unquantised GGUF file.
        out: the file to write.
        ftype: a number of `llama_ftype`.
        threads: how many it may use.
        imatrix: by tensor, float32 (row,): how much each column weighs.
        overrides: expression and `ggml_type`, the first that fits a tensor's name counts.
    """
    _quiet()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = ftype
    params.nthread = threads
    entries = [] if imatrix is None else [*imatrix.items()]
    data = (llama_cpp.llama_model_imatrix_data * (len(entries) + 1))()
    for entry, (name, values) in zip(data, entries, strict=False):
        entry.name = name.encode()
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        entry.size = values.size
    kinds = (llama_cpp.llama_model_tensor_override * (len(overrides) + 1))()
    for override, (pattern, kind) in zip(kinds, overrides, strict=False):
        override.pattern, override.type = pattern.encode(), kind
    if imatrix is not None:
        params.imatrix = data
    if overrides:
        params.tt_overrides = kinds
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), params)
    return bool(code == 0)
