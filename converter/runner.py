"""A model run by llama.cpp over known tokens, to be measured: no sampling, no chat.

The only file of the converter beside `ggml` and `graph` that touches the library. Everything is on
the CPU, where the buffers that a watch looks at are ordinary memory.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.modelfile import read_header
from app.errors import BadInputError, EngineError, ResourceError
from app.sanitise import one_line
from converter.graph import Tensor, Watch, product_op
from converter.texts import CHAT_TOKEN, Document, without_turns

_MICRO_BATCH = 512
"""Tokens that go through the graph at once, as in llama.cpp's own tools."""


class Runner:
    """A GGUF file opened by llama.cpp with room for chunks of a fixed length.

    A context manager: its memory is llama.cpp's and is freed at the end of the block.
    """

    def __init__(
        self,
        path: Path,
        *,
        length: int,
        threads: int = 0,
        watch: Watch | None = None,
        exact: bool = False,
    ) -> None:
        """Open the model.

        Args:
            path: a GGUF file; its header is checked before llama.cpp sees it.
            length: the most tokens that `run` is given.
            threads: how many to use; 0 for one per CPU.
            watch: looks at the graph of every `run`.
            exact: keys and values in F32 instead of F16, for comparisons.

        Raises:
            BadInputError: the file is no sound model, or was trained on shorter chunks.
            ResourceError: there is not the memory for it.
        """
        self.header = read_header(path)
        from llama_cpp import llama_cpp

        self._lib: Any = llama_cpp
        _silence()
        self._error: BaseException | None = None
        self._callback = self._watching(watch)
        self._model = _open_model(path)
        self._vocab = self._lib.llama_model_get_vocab(self._model)
        self.vocabulary = int(self._lib.llama_vocab_n_tokens(self._vocab))
        """How many tokens there are."""
        self.length = length
        try:
            self._check_length(path)
            self._context = self._open_context(threads or _cpus(), exact)
        except BaseException:
            self._lib.llama_model_free(self._model)
            raise
        self._batch = self._lib.llama_batch_init(length, 0, 1)

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lib.llama_batch_free(self._batch)
        self._lib.llama_free(self._context)
        self._lib.llama_model_free(self._model)

    @property
    def bos(self) -> int | None:
        """The token that a text begins with, where the model asks for one."""
        token = int(self._lib.llama_vocab_bos(self._vocab))
        return token if token >= 0 and self._lib.llama_vocab_get_add_bos(self._vocab) else None

    def tokenise(self, document: Document) -> list[int]:
        """Its ids, without BOS."""
        return [token for piece in document.pieces for token in self.ids(piece.text, piece.special)]

    @functools.cached_property
    def _knows_turns(self) -> bool:
        return len(self._ids(CHAT_TOKEN, special=True)) == 1

    def ids(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text alone; with `special`, tokens of the template count as such.

        To a model without ChatML's tokens its markers would be noise, so they are left out.
        """
        if special and not self._knows_turns:
            text = without_turns(text)
        return self._ids(text, special)

    def _ids(self, text: str, special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        while True:
            found = (self._lib.llama_token * room)()
            count = self._lib.llama_tokenize(
                self._vocab, raw, len(raw), found, room, False, special
            )
            if count >= 0:
                return list(found[:count])
            room = -count  # what it needs: a byte may become several tokens

    def run(self, tokens: Sequence[int], *, last_only: bool = False) -> None:
        """Evaluate the tokens from an empty context.

        Args:
            tokens: at most `length`.
            last_only: compute logits for the last token alone, as a chat's prefill does.

        Raises:
            EngineError: llama.cpp could not; or whatever the watch raised.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = not last_only or place == len(tokens) - 1
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), False)
        status = self._lib.llama_decode(self._context, batch)
        error, self._error = self._error, None
        if error is not None:
            raise error
        if status != 0:
            raise EngineError(f"llama.cpp could not evaluate the text (status {status}).")

    def logits(self) -> NDArray[np.float32]:
        """Of every token of the last `run`, (tokens, vocabulary), in place until the next."""
        values: Any = self._lib.llama_get_logits(self._context)
        count = int(self._batch.n_tokens)
        return np.ctypeslib.as_array(values, (count, self.vocabulary))

    def _check_length(self, path: Path) -> None:
        trained = int(self._lib.llama_model_n_ctx_train(self._model))
        if self.length > trained:
            raise BadInputError(
                f"{one_line(path.name)} was trained on contexts of {trained} tokens; "
                f"choose chunks no longer than that, not {self.length}."
            )

    def _open_context(self, threads: int, exact: bool) -> Any:
        lib = self._lib
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = max(32, self.length)
        params.n_ubatch = min(params.n_batch, _MICRO_BATCH)
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.offload_kqv = False
        if exact:
            params.type_k = params.type_v = lib.GGML_TYPE_F32
        if self._callback is not None:
            params.cb_eval = self._callback
        context = lib.llama_init_from_model(self._model, params)
        if not context:
            raise ResourceError(
                f"llama.cpp has not the memory for chunks of {self.length} tokens; "
                "choose shorter ones or close other programs."
            )
        return context

    def _watching(self, watch: Watch | None) -> Any:
        """The C callback around a watch; what it raises waits until llama.cpp has returned."""
        if watch is None:
            return None
        product_op()

        def look(address: int, asks: bool, _: object) -> bool:
            if self._error is not None:
                return asks  # be called with the data at once, and end the graph there
            try:
                tensor = Tensor(address)
                return watch.wants(tensor) if asks else watch.take(tensor)
            except BaseException as error:  # noqa: BLE001 - raised again after llama.cpp returns
                self._error = error
                return asks

        return self._lib.ggml_backend_sched_eval_callback(look)


def _open_model(path: Path) -> Any:
    from llama_cpp import llama_cpp

    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = 0
    params.use_extra_bufts = False  # AMX kernels of this version crash on k-quants
    model = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        raise BadInputError(
            f"llama.cpp cannot load {one_line(path.name)}; see what `bedside-convert inspect` "
            "says of it."
        )
    return model


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _silence() -> Any:
    """Send llama.cpp's log nowhere, once; the callback must live as long as the process."""
    from llama_cpp import llama_cpp

    def drop(level: int, text: bytes, data: ctypes.c_void_p) -> None:
        """What went wrong is told in sentences of our own."""

    ignore: Any = llama_cpp.llama_log_callback(drop)
    llama_cpp.llama_log_set(ignore, ctypes.c_void_p())
    llama_cpp.llama_backend_init()
    return ignore
