"""The identity of a model that is measured and cut."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint import Checkpoint, open_checkpoint
from converter.hashes import file_sha256

_CHUNK = 1 << 24
"""Weights hashed at once."""


def source_hash(model: Path) -> str:
    """What plans and saliency files call a model: of a GGUF file the SHA-256 of its bytes.

    Of a checkpoint folder it is that of config.json's content and of every tensor in order of
    names (name, type, shape, bytes), so that sharding the same weights otherwise changes nothing.

    Raises:
        BadInputError: it is no checkpoint, or cannot be read.
    """
    try:
        if model.is_dir():
            return _checkpoint_hash(open_checkpoint(model))
        return file_sha256(model)
    except (OSError, ValueError) as error:
        raise BadInputError(
            f"{one_line(str(model))} cannot be read; name a checkpoint folder or a GGUF file."
        ) from error


def _checkpoint_hash(checkpoint: Checkpoint) -> str:
    digest = hashlib.sha256(json.dumps(checkpoint.config, sort_keys=True).encode())
    for name in sorted(checkpoint.tensors):
        tensor = checkpoint.tensors[name]
        digest.update(f"\n{name} {tensor.type.value} {tensor.shape}\n".encode("utf-8", "replace"))
        values = tensor.map().reshape(-1)
        for start in range(0, values.size, _CHUNK):
            digest.update(values[start : start + _CHUNK].tobytes())
    return digest.hexdigest()
