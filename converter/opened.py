"""A GGUF file opened by llama.cpp: its vocabulary, and the ground that contexts stand on.

`runner` and `branches` run it through the functions that are kept here; with `ggml` and `graph`
nothing else of the converter touches the library. Everything is on the CPU.
"""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from app.engine.modelfile import read_header
from app.errors import BadInputError
from app.sanitise import one_line
from converter.texts import CHAT_TOKEN, Document, without_turns

_Own = TypeVar("_Own", bound="OpenedModel")
_LONGEST_PIECE = 64
"""Bytes that are tried first for a token's text; the library says when it needs more."""


class OpenedModel:
    """A loaded model. A context manager: its memory is llama.cpp's and is freed at the end."""

    def __init__(self, path: Path) -> None:
        """Open the file; its header is checked before llama.cpp sees it.

        Raises:
            BadInputError: the file is no sound model.
        """
        self.header = read_header(path)
        from llama_cpp import llama_cpp

        self.lib: Any = llama_cpp
        """llama.cpp's functions, for what makes contexts."""
        _silence()
        self.handle = _open_model(path)
        """The model, as those functions take it."""
        self._vocab = self.lib.llama_model_get_vocab(self.handle)
        self.vocabulary = int(self.lib.llama_vocab_n_tokens(self._vocab))
        """How many tokens there are."""
        self.trained = int(self.lib.llama_model_n_ctx_train(self.handle))
        """Tokens of the longest context that it was trained on."""

    def __enter__(self: _Own) -> _Own:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the model; the object is of no use afterwards."""
        self.lib.llama_model_free(self.handle)

    @property
    def bos(self) -> int | None:
        """The token that a text begins with, where the model asks for one."""
        adds = self.bos_token >= 0 and self.lib.llama_vocab_get_add_bos(self._vocab)
        return self.bos_token if adds else None

    @property
    def bos_token(self) -> int:
        """BOS, whether texts begin with it or not; negative where there is none."""
        return int(self.lib.llama_vocab_bos(self._vocab))

    @property
    def edges(self) -> tuple[str, str]:
        """BOS and EOS as a template writes them; empty where there is none."""
        eos = int(self.lib.llama_vocab_eos(self._vocab))
        return self._written(self.bos_token), self._written(eos)

    def _written(self, token: int) -> str:
        return "" if token < 0 else self.piece(token, special=True).decode("utf-8", "replace")

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes that a token stands for; special tokens stand for none unless asked."""
        room = _LONGEST_PIECE
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = self.lib.llama_token_to_piece(self._vocab, token, buffer, room, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    def ends(self, token: int) -> bool:
        """Whether the model says with it that it has finished."""
        return bool(self.lib.llama_vocab_is_eog(self._vocab, token))

    def tokenise(self, document: Document) -> list[int]:
        """Its ids, without BOS."""
        return [token for piece in document.pieces for token in self.ids(piece.text, piece.special)]

    @functools.cached_property
    def knows_turns(self) -> bool:
        """Whether it has ChatML's tokens."""
        return len(self.tokenize(CHAT_TOKEN, special=True)) == 1

    def ids(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text alone; with `special`, tokens of the template count as such.

        To a model without ChatML's tokens its markers would be noise, so they are left out.
        """
        if special and not self.knows_turns:
            text = without_turns(text)
        return self.tokenize(text, special)

    def tokenize(self, text: str, special: bool) -> list[int]:
        """The ids of a text alone, whatever is written in it."""
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        while True:
            found = (self.lib.llama_token * room)()
            count = self.lib.llama_tokenize(self._vocab, raw, len(raw), found, room, False, special)
            if count >= 0:
                return list(found[:count])
            room = -count  # what it needs: a byte may become several tokens


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
