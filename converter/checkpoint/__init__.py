"""Checkpoints: the models that the converter starts from."""

from __future__ import annotations

from converter.checkpoint.huggingface import Checkpoint, open_checkpoint
from converter.checkpoint.tensors import (
    Raw,
    SourceTensor,
    SourceType,
    check_numbers,
    to_float32,
)

__all__ = [
    "Checkpoint",
    "Raw",
    "SourceTensor",
    "SourceType",
    "check_numbers",
    "open_checkpoint",
    "to_float32",
]
