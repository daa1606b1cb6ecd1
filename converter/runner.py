"""A model run by llama.cpp over known tokens, to be measured: no sampling, no chat.

Everything is on the CPU, where the buffers that a watch looks at are ordinary memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.boards.detect import cores
from app.errors import BadInputError, EngineError, ResourceError
from app.sanitise import one_line
from converter.graph import Tensor, Watch, product_op
from converter.opened import OpenedModel

_MICRO_BATCH = 512
"""Tokens that go through the graph at once, as in llama.cpp's own tools."""


class Runner(OpenedModel):
    """A GGUF file opened by llama.cpp with room for chunks of a fixed length."""

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
        super().__init__(path)
        self.length = length
        self._error: BaseException | None = None
        self._callback = self._watching(watch)
        try:
            self._check_length(path)
            self._context = self._open_context(threads or cores(), exact)
        except BaseException:
            super().close()
            raise
        self._batch = self.lib.llama_batch_init(length, 0, 1)

    def close(self) -> None:
        """Free the context, then the model."""
        self.lib.llama_batch_free(self._batch)
        self.lib.llama_free(self._context)
        super().close()

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
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self._context), False)
        status = self.lib.llama_decode(self._context, batch)
        error, self._error = self._error, None
        if error is not None:
            raise error
        if status != 0:
            raise EngineError(f"llama.cpp could not evaluate the text (status {status}).")

    def logits(self) -> NDArray[np.float32]:
        """Of every token of the last `run`, (tokens, vocabulary), in place until the next."""
        values: Any = self.lib.llama_get_logits(self._context)
        count = int(self._batch.n_tokens)
        return np.ctypeslib.as_array(values, (count, self.vocabulary))

    def _check_length(self, path: Path) -> None:
        if self.length > self.trained:
            raise BadInputError(
                f"{one_line(path.name)} was trained on contexts of {self.trained} tokens; "
                f"choose chunks no longer than that, not {self.length}."
            )

    def _open_context(self, threads: int, exact: bool) -> Any:
        lib = self.lib
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
        context = lib.llama_init_from_model(self.handle, params)
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

        return self.lib.ggml_backend_sched_eval_callback(look)
