"""A checkpoint in Hugging Face form: config.json, a tokenizer, one or several safetensors files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.folder import member, read_member
from converter.checkpoint.safetensors import read_index
from converter.checkpoint.strictjson import parse_object
from converter.checkpoint.tensors import SourceTensor

_CONFIG = "config.json"
_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model as its makers publish it; its tensors are read when they are asked for."""

    folder: Path
    config: Mapping[str, Any]
    generation: Mapping[str, Any]
    """generation_config.json, or nothing."""
    tensors: Mapping[str, SourceTensor]
    """By name, in the stock converter's order: file after file, sorted by name in each."""

    @property
    def files(self) -> list[Path]:
        """The files that hold its weights."""
        return list(dict.fromkeys(tensor.path for tensor in self.tensors.values()))


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read what the folder says about itself; no weight is read.

    Raises:
        BadInputError: It is not a checkpoint, or not a whole and honest one.
    """
    if not folder.is_dir():
        raise BadInputError(
            f"There is no checkpoint folder {one_line(str(folder))}; "
            "name the folder that holds config.json."
        )
    try:
        folder = folder.resolve()
        config = _config(folder)
        tensors = _tensors(folder)
        generation = read_member(folder, "generation_config.json")
    except OSError as error:
        raise BadInputError(f"The checkpoint cannot be read: {one_line(str(error))}.") from error
    defaults = parse_object(generation, "generation_config.json") if generation else {}
    return Checkpoint(folder, config, defaults, tensors)


def _config(folder: Path) -> dict[str, Any]:
    data = read_member(folder, _CONFIG)
    if data is None:
        raise BadInputError(
            f"{one_line(folder.name)} has no config.json, so it is no checkpoint in Hugging Face "
            "form; name the folder that holds config.json and the safetensors files."
        )
    return parse_object(data, _CONFIG)


def _tensors(folder: Path) -> dict[str, SourceTensor]:
    places = _shard_map(folder)
    if places is None:
        single = member(folder, _SINGLE)
        if single is None:
            raise _no_weights(folder)
        return {tensor.name: tensor for tensor in read_index(single)}
    return _sharded(folder, places)


def _shard_map(folder: Path) -> dict[str, str] | None:
    """Tensor name to file name, as the index says; None when the folder has no index."""
    data = read_member(folder, _INDEX)
    if data is None:
        return None
    places = parse_object(data, _INDEX).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise BadInputError(f"{_INDEX} has no table of tensors and files; fetch it again.")
    return places


def _sharded(folder: Path, places: Mapping[str, str]) -> dict[str, SourceTensor]:
    found: dict[str, SourceTensor] = {}
    for shard in sorted(set(places.values())):
        path = member(folder, shard)
        if path is None:
            raise BadInputError(
                f"The checkpoint is not whole: {one_line(shard, 80)}, which {_INDEX} names, "
                "is missing; fetch it too."
            )
        for tensor in read_index(path):
            if places.get(tensor.name) != shard:
                raise BadInputError(
                    f"{_INDEX} does not say that {one_line(tensor.name, 80)} is in "
                    f"{one_line(shard, 80)}; the files are of different checkpoints."
                )
            found[tensor.name] = tensor
    for name in places.keys() - found.keys():
        raise BadInputError(
            f"{one_line(name, 80)} is not in {one_line(places[name], 80)}, where {_INDEX} says it "
            "is; fetch that file again."
        )
    return found


def _no_weights(folder: Path) -> BadInputError:
    names = sorted(path.name for path in folder.iterdir())
    if any(name.endswith(".safetensors") and name.startswith("model-") for name in names):
        return BadInputError(
            f"The checkpoint is in several files, but {_INDEX} is missing; fetch it too."
        )
    for name in names:
        if name.endswith(_PICKLES):
            return BadInputError(
                f"{one_line(name, 80)} is a Python pickle, which can run any program when it is "
                "opened, so it is not read; use the checkpoint's safetensors files."
            )
    return BadInputError(f"{one_line(folder.name)} holds no {_SINGLE}; fetch the weights too.")
