"""Sequences that share their beginnings and go through a model in one batch.

One of the few files of the converter that touch llama.cpp. Its cache is one for all sequences
(`kv_unified`): a token may belong to several of them, so what they have in common is computed and
kept once. Each sequence runs in a *lane*; lane 0 holds the head that all of them begin with.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.boards.detect import cores
from app.errors import EngineError, ResourceError
from converter.opened import OpenedModel

_MICRO_BATCH = 512
"""Tokens that go through the graph at once."""
MOST_LANES = 64
"""Sequences in a batch beside the head; llama.cpp has at most 256."""


class Step(NamedTuple):
    """A token on its way through the model."""

    token: int
    position: int
    lanes: Sequence[int]
    """The sequences that it belongs to, counted from 1."""
    wanted: bool
    """Whether the logits after it are computed."""


class Branches:
    """A context over an opened model. A context manager: its memory is llama.cpp's."""

    def __init__(
        self, model: OpenedModel, *, cells: int, threads: int = 0, exact: bool = False
    ) -> None:
        """Make room.

        Args:
            model: stays open for as long as this is.
            cells: tokens that are in the cache at once, shared ones counted once.
            threads: how many to use; 0 for one per CPU.
            exact: keys and values in F32 instead of F16, for comparisons.

        Raises:
            ResourceError: there is not the memory for it.
        """
        self._lib = lib = model.lib
        self._vocabulary = model.vocabulary
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = max(32, cells)
        params.n_ubatch = min(params.n_batch, _MICRO_BATCH)
        params.n_seq_max = 1 + MOST_LANES
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads or cores()
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.offload_kqv = False
        if exact:
            params.type_k = params.type_v = lib.GGML_TYPE_F32
        self._context = lib.llama_init_from_model(model.handle, params)
        if not self._context:
            raise ResourceError(
                f"llama.cpp has not the memory for {cells} tokens at once; choose a shorter "
                "--context-tokens or close other programs."
            )
        self._memory = lib.llama_get_memory(self._context)
        self._batch = lib.llama_batch_init(params.n_batch, 0, MOST_LANES)
        self._cells = int(params.n_batch)

    def __enter__(self) -> Branches:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lib.llama_batch_free(self._batch)
        self._lib.llama_free(self._context)

    def hold(self, head: Sequence[int]) -> None:
        """Forget everything and evaluate what all sequences begin with.

        Raises:
            EngineError: llama.cpp could not.
        """
        self._lib.llama_memory_clear(self._memory, False)
        if head:
            self._decode([Step(token, place, (0,), False) for place, token in enumerate(head)])

    def start(self, lanes: int) -> None:
        """Empty the lanes and let 1 to `lanes` begin with the head, which is not copied."""
        for lane in range(1, 1 + MOST_LANES):
            self._lib.llama_memory_seq_rm(self._memory, lane, -1, -1)
        for lane in range(1, 1 + lanes):
            self._lib.llama_memory_seq_cp(self._memory, 0, lane, -1, -1)

    def run(self, steps: Sequence[Step]) -> NDArray[np.float32]:
        """Evaluate tokens, each lane's in order of their positions.

        Returns:
            The wanted logits in the order of the steps, (wanted, vocabulary), in place until the
            next run.

        Raises:
            EngineError: llama.cpp could not.
        """
        self._decode(steps)
        count = sum(step.wanted for step in steps)
        values: Any = self._lib.llama_get_logits(self._context)
        return np.ctypeslib.as_array(values, (count, self._vocabulary))

    def _decode(self, steps: Sequence[Step]) -> None:
        assert len(steps) <= self._cells, "batches are planned to fit"
        batch = self._batch
        batch.n_tokens = len(steps)
        for place, step in enumerate(steps):
            batch.token[place] = step.token
            batch.pos[place] = step.position
            batch.n_seq_id[place] = len(step.lanes)
            for number, lane in enumerate(step.lanes):
                batch.seq_id[place][number] = lane
            batch.logits[place] = step.wanted
        status = self._lib.llama_decode(self._context, batch)
        if status != 0:
            raise EngineError(f"llama.cpp could not evaluate the questions (status {status}).")
