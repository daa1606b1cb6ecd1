"""A GGUF file of our own making, read with gguf-py: tensors by their hash, keys by their value."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, GGUFValueType


def tensors(path: Path) -> list[list[Any]]:
    """Name, shape (row length first), type and SHA-256 of the data, in the file's order."""
    return [
        [
            tensor.name,
            [int(side) for side in tensor.shape],
            tensor.tensor_type.name,
            hashlib.sha256(np.ascontiguousarray(tensor.data).tobytes()).hexdigest(),
        ]
        for tensor in GGUFReader(path).tensors
    ]


def keys(path: Path) -> dict[str, list[Any]]:
    """Key to types and value; a long list by its length and hash."""
    found: dict[str, list[Any]] = {}
    for name, field in GGUFReader(path).fields.items():
        if not name.startswith("GGUF."):
            found[name] = [[GGUFValueType(kind).name for kind in field.types], _told(field)]
    return found


def _told(field: Any) -> Any:
    value = field.contents()
    if isinstance(value, list) and len(value) > 16:
        return [len(value), hashlib.sha256(json.dumps(value).encode()).hexdigest()]
    return value
