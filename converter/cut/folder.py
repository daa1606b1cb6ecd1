"""A cut model as a checkpoint folder that stock `transformers` loads."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import ResourceError, UsageError
from app.sanitise import one_line
from converter.architecture import Held, Stored, Weight, describe
from converter.checkpoint import Checkpoint, check_numbers, to_float32
from converter.checkpoint.folder import read_member
from converter.cut.apply import told
from converter.cut.geometry import Geometry, check_fits
from converter.cut.plan import Plan
from converter.cut.weights import Indices, Repairs, cut_weights, selection
from converter.files import check_space, whole_file
from converter.material import FITTED, fitted_to
from converter.progress import Advance

_COPIED = (
    "generation_config.json", "tokenizer.model", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "chat_template.jinja", "chat_template.json",
    "LICENSE", "LICENSE.txt", "NOTICE", "USE_POLICY.md",
)  # fmt: skip
"""Files that say the same of the cut model as of the full one."""
_CARD = "README.md"
_SHARD = 5 * 10**9
"""Bytes in a file at most, unless one tensor alone has more: what hubs publish."""
_PIECE = 1 << 22
"""Weights that are in memory at once."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the new folder."""

    name: str
    weight: Weight

    @property
    def nbytes(self) -> int:
        return self.weight.elements * self.weight.type.stored.itemsize


def write_folder(
    checkpoint: Checkpoint,
    plan: Plan,
    out: Path,
    *,
    repairs: Repairs | None = None,
    texts: Iterable[str] = (),
    progress: Advance | None = None,
) -> int:
    """Write the cut checkpoint, the whole folder or nothing, and return its bytes.

    Args:
        checkpoint: the full model.
        plan: what stays.
        out: a new folder.
        repairs: what restoration made of some weights.
        texts: SHA-256 of the texts that it was measured on.
        progress: told how many weights are written.

    Raises:
        UsageError: The plan is uneven, which config.json cannot say; or something stands at `out`.
        BadInputError: The plan is of another model.
        ResourceError: The disk has not the room.
    """
    check_folder(out, plan)
    tensors = list(_tensors(checkpoint, plan, repairs or {}))
    size = sum(tensor.nbytes for tensor in tensors)
    check_space(out.parent, size)
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir()
        _copy(checkpoint, plan, texts, part)
        _write_shards(part, list(_shards(tensors)), size, progress)
        part.replace(out)
    except OSError as error:
        raise ResourceError(
            f"{one_line(str(out))} cannot be written: {error.strerror}; nothing was kept."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return sum(path.stat().st_size for path in out.iterdir())


def check_folder(out: Path, plan: Plan) -> None:
    """See that the plan can become a folder here before any work is done for it.

    Raises:
        UsageError: It is uneven, the place is taken, or its parent is missing.
    """
    if not plan.uniform:
        raise UsageError(
            "The plan keeps different widths or heads in different layers, which a checkpoint "
            "folder cannot say; name an output that ends in .gguf, or plan one width everywhere."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{one_line(str(out))} exists; name a new folder.")
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {one_line(str(out.parent))}; make it first.")


def _tensors(checkpoint: Checkpoint, plan: Plan, repairs: Repairs) -> Iterator[_Tensor]:
    """The tensors that stay, under the checkpoint's own names and in its own row order."""
    model = describe(checkpoint)
    geometry = Geometry.read(model)
    check_fits(plan, geometry)
    for weight in model.weights:
        if not isinstance(weight, Stored):
            continue  # made for the GGUF file from numbers of config.json, which keeps them
        plain = replace(weight, order=None)
        for kept in cut_weights((plain,), plan, geometry, repairs):
            if isinstance(kept, Held) and weight.order is not None:
                kept = _own_rows(kept, weight.order, plan, geometry)
            place = re.match(r"blk\.(\d+)\.", kept.name)
            layer = f"model.layers.{place[1]}." if place else ""
            yield _Tensor(re.sub(r"^model\.layers\.\d+\.", layer, weight.origin), kept)


def _own_rows(kept: Held, order: Indices, plan: Plan, geometry: Geometry) -> Held:
    """A repaired matrix, whose rows are a GGUF file's, in the row order of the checkpoint."""
    _, place, part, ending = kept.name.split(".")
    rows, _ = selection(part, ending, plan.layers[int(place)], geometry)
    return replace(kept, values=kept.values[np.argsort(order if rows is None else order[rows])])


def _config(checkpoint: Checkpoint, plan: Plan, texts: Iterable[str]) -> dict[str, Any]:
    geometry = Geometry.read(describe(checkpoint))
    first = plan.layers[0]
    groups = len(first.head_groups)
    changed = {
        "intermediate_size": len(first.neurons),
        "num_hidden_layers": len(plan.layers),
        "num_attention_heads": groups * (geometry.heads[0] // geometry.groups[0]),
        "num_key_value_heads": groups,
        "head_dim": geometry.head_dim,
        "bedside_cut": told(plan, geometry),
    }
    if fitted := dict.fromkeys((*fitted_to(checkpoint), *plan.texts, *texts)):
        changed[FITTED] = " ".join(fitted)
    kinds = checkpoint.config.get("layer_types")
    if isinstance(kinds, list) and len(kinds) == len(geometry.neurons):
        changed["layer_types"] = [kinds[kept.index] for kept in plan.layers]
    return {**checkpoint.config, **changed}


def _copy(checkpoint: Checkpoint, plan: Plan, texts: Iterable[str], part: Path) -> None:
    _put(part / "config.json", _json(_config(checkpoint, plan, texts)))
    for name in _COPIED:
        if (data := read_member(checkpoint.folder, name)) is not None:
            _put(part / name, data)
    if (card := read_member(checkpoint.folder, _CARD)) is not None:
        _put(part / _CARD, _new_card(card.decode("utf-8", "replace"), plan).encode())


def _new_card(card: str, plan: Plan) -> str:
    """The licence and authors of the source, and none of its numbers, which are no longer true."""
    front = re.match(r"---\n.*?\n---\n", card, re.DOTALL)
    return (
        f"{front[0] if front else ''}\nCut from another checkpoint by `bedside-convert prune` "
        f"(score: {one_line(plan.score)}). What its makers say of the full model (licence, "
        f"training, limits) is in that model's card.\n"
    )


def _shards(tensors: Sequence[_Tensor]) -> Iterator[list[_Tensor]]:
    held: list[_Tensor] = []
    filled = 0
    for tensor in tensors:
        if held and filled + tensor.nbytes > _SHARD:
            yield held
            held, filled = [], 0
        held.append(tensor)
        filled += tensor.nbytes
    yield held


def _write_shards(
    part: Path, shards: Sequence[Sequence[_Tensor]], size: int, progress: Advance | None
) -> None:
    places: dict[str, str] = {}
    done, total = 0, sum(tensor.weight.elements for shard in shards for tensor in shard)
    for number, shard in enumerate(shards, 1):
        several = f"model-{number:05}-of-{len(shards):05}.safetensors"
        name = several if len(shards) > 1 else "model.safetensors"
        places |= {tensor.name: name for tensor in shard}
        with whole_file(part / name) as file:
            file.write(_head(shard))
            for tensor in shard:
                for data in _pieces(tensor.weight):
                    file.write(data)
                done += tensor.weight.elements
                if progress is not None:
                    progress(done, total)
    if len(shards) > 1:
        index = {"metadata": {"total_size": size}, "weight_map": places}
        _put(part / "model.safetensors.index.json", _json(index))


def _head(tensors: Sequence[_Tensor]) -> bytes:
    """Length and JSON header of a safetensors file, padded so that the data is aligned."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        header[tensor.name] = {
            "dtype": tensor.weight.type.value,
            "shape": list(tensor.weight.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _pieces(weight: Weight) -> Iterator[bytes]:
    count = weight.shape[0] if len(weight.shape) > 1 else 1
    step = max(1, _PIECE // weight.shape[-1])
    for start in range(0, count, step):
        rows = weight.rows(start, min(start + step, count))
        check_numbers(to_float32(rows), weight.origin)
        yield rows.astype(weight.type.stored, copy=False).tobytes()


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _put(path: Path, data: bytes) -> None:
    with whole_file(path) as file:
        file.write(data)
