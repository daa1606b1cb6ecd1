"""Families of models: how each one's checkpoint becomes a GGUF file."""

from __future__ import annotations

from app.errors import BadInputError
from app.sanitise import one_line
from converter.architecture import llama
from converter.architecture.model import Model
from converter.architecture.weights import Held, Stored, Weight
from converter.checkpoint import Checkpoint

__all__ = ["Held", "Model", "Stored", "Weight", "describe"]

_FAMILIES = {
    "LlamaForCausalLM": llama.describe,
}
"""What config.json calls an architecture, and the function that understands it."""


def describe(checkpoint: Checkpoint) -> Model:
    """The checkpoint as its family sees it.

    Raises:
        BadInputError: No family here reads it, or it is not what its config says.
    """
    named = checkpoint.config.get("architectures")
    names = named if isinstance(named, list) else []
    for name in names:
        if isinstance(name, str) and name in _FAMILIES:
            _refuse_quantised(checkpoint)
            return _FAMILIES[name](checkpoint)
    shown = one_line(", ".join(map(str, names)), 80) or "no architecture"
    raise BadInputError(
        f"config.json names {shown}; the converter reads {', '.join(sorted(_FAMILIES))}."
    )


def _refuse_quantised(checkpoint: Checkpoint) -> None:
    if checkpoint.config.get("quantization_config") is not None:
        raise BadInputError(
            "The checkpoint is quantised already, and quantising it again would lose quality; "
            "convert from the original in bfloat16, float16 or float32."
        )
