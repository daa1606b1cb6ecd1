"""Does a sound GGUF header describe a language model that llama.cpp can run?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import BinaryIO

from app.engine.header import Header, TensorInfo
from app.engine.header_reader import Skipped, Whole, shown
from app.errors import BadInputError

TOKENS = "tokenizer.ggml.tokens"
TOKEN_TYPES = "tokenizer.ggml.token_type"
WATCHED = frozenset({TOKENS, TOKEN_TYPES})
"""Arrays whose every element is looked at."""

MAX_LAYERS = 512
"""LLAMA_MAX_LAYERS; llama.cpp keeps arrays of this length by layer."""
MAX_WIDTH = 1 << 20
"""Of embedding, feed-forward or heads; the widest models stay below 60,000."""
MAX_CONTEXT = 1 << 28
"""Tokens. The longest trained contexts are some ten millions."""
MAX_TOKEN_BYTES = 8192
"""Of one token's text. Real ones stay below 300; llama.cpp once took the length as signed."""

_VOCABULARY_ELEMENTS = {
    TOKENS: ("string[]",),
    "tokenizer.ggml.scores": ("float32[]", "int32[]"),
    TOKEN_TYPES: ("int32[]",),
    "tokenizer.ggml.merges": ("string[]",),
}
_ONE_PER_TOKEN = ("tokenizer.ggml.scores", TOKEN_TYPES)
_REQUIRED = {
    "block_count": MAX_LAYERS,
    "embedding_length": MAX_WIDTH,
    "context_length": MAX_CONTEXT,
}
_PER_LAYER = {
    "feed_forward_length": MAX_WIDTH,
    "attention.head_count": MAX_WIDTH,
    "attention.head_count_kv": MAX_WIDTH,
}
_BYTE_TOKEN = re.compile(rb"<0x[0-9A-Fa-f]{2}>")
_BYTE_TYPE = 6
"""llama.cpp's LLAMA_TOKEN_TYPE_BYTE."""
_BLOCK = re.compile(r"blk\.(\d+)\.")
_SAMPLE = 4096
_SAMPLES = 32


def check_model(header: Header, arrays: Mapping[str, Whole]) -> None:
    """Holds the header against what a language model needs.

    Args:
        header: a sound one, of `parse_header`.
        arrays: the complete arrays of `WATCHED`.

    Raises:
        BadInputError: with the reason in one sentence.
    """
    _check_kind(header)
    for name, most in _REQUIRED.items():
        _whole_number(header, name, most)
    for name, most in _PER_LAYER.items():
        _check_per_layer(header, name, most)
    _check_blocks(header)
    _check_vocabulary(header)
    _check_tokens(arrays)


def check_not_blank(header: Header, file: BinaryIO) -> None:
    """Refuses a file whose weights are all zero: a copy that reserved its space and then stopped.

    Looks at 4 KiB in the middle of up to 32 tensors, so it costs nothing on a good file.
    """
    step = max(1, len(header.tensors) // _SAMPLES)
    for tensor in header.tensors[::step]:
        length = min(_SAMPLE, tensor.bytes)
        file.seek(header.data_offset + tensor.offset + (tensor.bytes - length) // 2)
        if file.read(length).strip(b"\0"):
            return
    raise BadInputError(
        "The weights in the model file are all zero: its download or copy did not finish. "
        "Get it again from its source."
    )


def _check_kind(header: Header) -> None:
    kind = header.metadata.get("general.type", "model")
    if kind != "model":
        raise BadInputError(
            f"The file is a GGUF file of the kind {shown(str(kind))}, not a model. "
            "Name the model's own .gguf file."
        )
    if not header.architecture:
        raise BadInputError(
            "The model file does not say of which architecture it is (general.architecture). "
            "Get it again from its source."
        )
    if header.architecture == "clip":
        raise BadInputError(
            "The file holds the image part of a model. Name the .gguf file of its language part."
        )
    parts = header.metadata.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise BadInputError(
            f"The file is one of {parts} parts of a split model. Join them with llama.cpp's "
            "`llama-gguf-split --merge`, then use the whole file."
        )
    if not header.tensors:
        raise BadInputError(
            "The model file holds no weights, only a vocabulary. Get the whole model."
        )


def _whole_number(header: Header, name: str, most: int) -> int:
    value = header.setting(name)
    key = shown(f"{header.architecture}.{name}")
    if value is None:
        raise BadInputError(f"The model file has no {key}. Get it again from its source.")
    return _checked_number(key, value, 1, most)


def _checked_number(key: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadInputError(
            f"The model file gives {key} as {shown(str(value))}; a whole number from {least} to "
            f"{most} makes sense. The file is damaged; get it again from its source."
        )
    return value


def _check_per_layer(header: Header, name: str, most: int) -> None:
    """Such a setting is one number, or an array with one for each layer; 0 where it has none."""
    value = header.setting(name)
    if value is None:
        return
    key = shown(f"{header.architecture}.{name}")
    if not isinstance(value, tuple | Skipped):
        _checked_number(key, value, 0, most)
        return
    layers = header.setting("block_count")
    count = len(value) if isinstance(value, tuple) else value.count
    if count != layers:
        raise BadInputError(
            f"The model file has {count} values for {key} and {layers} layers; it needs one for "
            "each. The file is damaged; get it again from its source."
        )
    for one in value if isinstance(value, tuple) else ():
        _checked_number(key, one, 0, most)


def _check_blocks(header: Header) -> None:
    """Every layer has tensors; only `deci` knows layers that are nothing but a passage."""
    held = {int(found[1]) for t in header.tensors if (found := _BLOCK.match(t.name))}
    layers = _whole_number(header, "block_count", MAX_LAYERS)
    missing = set(range(layers)) - held
    if held - set(range(layers)) or (missing and header.architecture != "deci"):
        raise BadInputError(
            f"The model file promises {layers} layers and holds tensors of {len(held)}. "
            "The file is damaged; get it again from its source."
        )


def _check_vocabulary(header: Header) -> None:
    for key, elements in _VOCABULARY_ELEMENTS.items():
        found = header.kinds.get(key)
        if found is not None and found not in elements:
            raise BadInputError(
                f"The model file's {shown(key)} should be {elements[0]} and is {found}. "
                "The file is damaged; get it again from its source."
            )
    tokens = _length(header, TOKENS)
    embedding = header.tensor("token_embd.weight")
    if embedding is None:
        raise BadInputError(
            "The model file has no token embedding (token_embd.weight). Get it again."
        )
    if not tokens:
        raise BadInputError("The model file has no vocabulary. Get it again from its source.")
    _check_embedding(header, embedding, tokens)
    _check_one_per_token(header, tokens)


def _check_embedding(header: Header, embedding: TensorInfo, tokens: int) -> None:
    width = header.setting("embedding_length")
    if embedding.shape != (width, tokens):
        raise BadInputError(
            f"The model file has {tokens} tokens of width {width}, but its embedding has the "
            f"shape {list(embedding.shape)}. The file is damaged; get it again from its source."
        )


def _check_one_per_token(header: Header, tokens: int) -> None:
    for key in _ONE_PER_TOKEN:
        count = _length(header, key)
        if key in header.metadata and count != tokens:
            raise BadInputError(
                f"The model file has {tokens} tokens and {count} values of {shown(key)}; it "
                "needs one for each. The file is damaged; get it again from its source."
            )


def _length(header: Header, key: str) -> int:
    value = header.metadata.get(key)
    if isinstance(value, Skipped):
        return value.count
    return len(value) if isinstance(value, tuple) else 0


def _check_tokens(arrays: Mapping[str, Whole]) -> None:
    tokens = [token for token in arrays.get(TOKENS, ()) if isinstance(token, bytes)]
    longest = max(tokens, key=len, default=b"")
    if len(longest) > MAX_TOKEN_BYTES:
        raise BadInputError(
            f"The model file has a token of {len(longest)} bytes; no vocabulary has one over "
            f"{MAX_TOKEN_BYTES}. The file is damaged or hostile; get it again from its source."
        )
    if len(set(tokens)) != len(tokens) - max(0, tokens.count(b"") - 1):
        raise BadInputError(
            "The model file has the same token twice in its vocabulary. The file is damaged; get "
            "it again from its source."
        )
    byte_type = [i for i, kind in enumerate(arrays.get(TOKEN_TYPES, ())) if kind == _BYTE_TYPE]
    hex_like = [token for token in tokens if len(token) == 6 and token.startswith(b"<0x")]
    for token in hex_like + [tokens[i] for i in byte_type if i < len(tokens)]:
        if not _BYTE_TOKEN.fullmatch(token):
            raise BadInputError(
                f"The model file has the byte token {shown(token)}; byte tokens go from <0x00> "
                "to <0xFF>. The file is damaged or hostile; get it again from its source."
            )
