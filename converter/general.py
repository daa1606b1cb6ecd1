"""The `general.*` keys of a file: what the model is called, by whom, under which licence.

The stock converter guesses them from the model card, config.json and the folder's name; its own
heuristics, in gguf-py, are used here on values that were checked first. No clock and no path
gets into a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import gguf
import yaml

from app.errors import BadInputError
from app.sanitise import one_line
from converter import metadata
from converter.architecture import Model
from converter.checkpoint import Checkpoint
from converter.checkpoint.folder import read_member
from converter.metadata import Field

_CARD = "README.md"
_CARD_LIMIT = 1 << 16
"""Characters of front matter; the longest published ones have a few thousand."""
_LISTS = frozenset({
    "base_model", "base_models", "base_model_sources", "dataset", "datasets", "dataset_sources",
    "language", "languages", "license", "pipeline_tag", "tags",
})  # fmt: skip
"""What a card may say in a list; gguf-py ends with an assertion at one anywhere else."""
_SAMPLING = {
    "sequence": ("sampling_sequence", str),
    "top_k": ("sampling_top_k", int),
    "top_p": ("sampling_top_p", float),
    "min_p": ("sampling_min_p", float),
    "xtc_probability": ("sampling_xtc_probability", float),
    "xtc_threshold": ("sampling_xtc_threshold", float),
    "temperature": ("sampling_temp", float),
    "penalty_last_n": ("sampling_penalty_last_n", int),
    "repetition_penalty": ("sampling_penalty_repeat", float),
    "penalty_repeat": ("sampling_penalty_repeat", float),  # after the one it overrides
    "mirostat": ("sampling_mirostat", int),
    "mirostat_tau": ("sampling_mirostat_tau", float),
    "mirostat_eta": ("sampling_mirostat_eta", float),
}
"""Key of generation_config.json to gguf-py's name for it and its type."""


def general_fields(checkpoint: Checkpoint, model: Model) -> list[Field]:
    """Architecture, kind, sampling defaults and authorship, in the stock converter's order.

    Raises:
        BadInputError: The model card or the generation defaults are not readable.
    """
    told = gguf.Metadata.apply_metadata_heuristic(
        gguf.Metadata(), _card(checkpoint), _published_name(checkpoint), checkpoint.folder,
        model.parameters,
    )  # fmt: skip
    for attribute, value in _sampling(checkpoint.generation).items():
        setattr(told, attribute, value)
    told.name = told.name or checkpoint.folder.name or "model"
    if told.size_label is None:
        told.size_label = gguf.size_label(model.parameters, model.parameters, 0, 0)
    writer = gguf.GGUFWriter(None, model.facts.architecture)
    writer.add_type(gguf.GGUFType.MODEL)
    told.set_gguf_meta_model(writer)
    return [
        Field(key, item.value, item.type, _element(item)) for key, item in writer.kv_data[0].items()
    ]


def provenance_fields(checkpoint: Checkpoint) -> list[Field]:
    """From what and by what the file was made: its bytes depend on both and on nothing else."""
    kinds = sorted({tensor.dtype for tensor in checkpoint.tensors.values()})
    return [
        metadata.text("bedside.quantiser", f"llama-cpp-python {version('llama-cpp-python')}"),
        metadata.text("bedside.source", f"safetensors {', '.join(kinds)}"),
    ]


def _element(item: gguf.GGUFValue) -> gguf.GGUFValueType | None:
    """All lists among these keys (tags, languages) are of strings."""
    return gguf.GGUFValueType.STRING if item.type is gguf.GGUFValueType.ARRAY else None


def _published_name(checkpoint: Checkpoint) -> dict[str, Any]:
    """The name under which the makers published the model, unless it is a path of theirs."""
    name = checkpoint.config.get("_name_or_path")
    if isinstance(name, str) and re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", name):
        return {"_name_or_path": name}
    return {}


def _sampling(generation: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (attribute, kind) in _SAMPLING.items():
        value = generation.get(key)
        if value is None:
            continue
        if not _fits(value, kind):
            shown = one_line(repr(value), 40)
            raise BadInputError(f"generation_config.json gives {key} as {shown}, which is no use.")
        found[attribute] = value
    return found


def _fits(value: object, kind: type) -> bool:
    """Whether GGUF can hold the value as this type: 32 bits, and no boolean for a number."""
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, (int, float)) and abs(value) < 3e38  # nor is NaN
    return isinstance(value, kind) and (not isinstance(value, int) or -(2**31) <= value < 2**31)


def _card(checkpoint: Checkpoint) -> dict[str, Any]:
    """The front matter of the model card: texts, and lists of texts where lists may stand."""
    try:
        told = yaml.safe_load(_front_matter(checkpoint))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInputError(
            f"The front matter of {_CARD} is not valid YAML; mend it, or take the file away."
        ) from error
    if not isinstance(told, dict):
        return {}
    return {key: value for key, value in told.items() if _is_text(key, value)}


def _is_text(key: object, value: object) -> bool:
    items = value if isinstance(value, list) and key in _LISTS else [value]
    return isinstance(key, str) and all(isinstance(item, str) for item in items)


def _front_matter(checkpoint: Checkpoint) -> str:
    """What stands between the card's first two lines of `---`, or nothing."""
    card = read_member(checkpoint.folder, _CARD)
    lines = (card or b"").decode("utf-8").splitlines()
    if "---" not in lines[1:] or lines[0] != "---":
        return ""
    text = "\n".join(lines[1 : lines.index("---", 1)]) + "\n"
    if len(text) > _CARD_LIMIT:
        return ""
    return text.replace("- no\n", '- "no"\n').replace("\t", "  ")  # Norway; tabs: as stock
