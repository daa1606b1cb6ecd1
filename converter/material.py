"""What goes into a file before its type is chosen: the exporter takes it, whatever made it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import BadInputError
from converter import metadata
from converter.architecture import Model, Stored, Weight, describe
from converter.checkpoint import Checkpoint, SourceType, open_checkpoint
from converter.checkpoint.gguf import GgufFile, open_gguf
from converter.general import general_fields, provenance_fields
from converter.metadata import Field
from converter.quantise import FileType, ModelFacts
from converter.vocabulary import read_vocabulary

CALIBRATED = "bedside.calibration_sha256"
"""The key that names the texts that a model was fitted to, by the hashes of their files."""
IMPORTANCE = "bedside.importance_sha256"
"""The key that names the importance by which a file was rounded."""
FITTED = "bedside_calibration_sha256"
"""The same in the config.json of a checkpoint that was cut."""
_DEQUANTISED = "bedside.dequantised_from"
_DECIDED = (
    "general.file_type", "general.quantization_version", "general.alignment", IMPORTANCE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Material:
    """A model with its words and its names: of a checkpoint, of a GGUF file, or cut from either."""

    model: Model
    general: tuple[Field, ...]
    """The keys before the architecture's."""
    vocabulary: tuple[Field, ...]
    provenance: tuple[Field, ...]
    between: SourceType
    """What `--outtype auto` stores it in, and the stock quantiser therefore reads."""
    files: tuple[Path, ...]
    """Where its weights are read from: none of them may be written over."""
    notes: tuple[str, ...] = ()
    """Sentences a person should read about the vocabulary."""

    @property
    def lossless(self) -> FileType:
        """The smallest file type that holds every matrix as it is."""
        kinds = {weight.type for weight in self.model.weights if len(weight.shape) > 1}
        return FileType[kinds.pop().name] if len(kinds) == 1 else FileType.F32


def calibrated(material: Material, texts: Iterable[str]) -> Material:
    """The material, naming these texts beside those that it was fitted to before.

    Whoever lets a text decide a weight, or what stays, tells it here: `compare` refuses to measure
    a file on what it was fitted to.

    Args:
        material: what was decided.
        texts: SHA-256 of their files.
    """
    hashes = " ".join(dict.fromkeys((*_told(material.provenance, CALIBRATED).split(), *texts)))
    if not hashes:
        return material
    named = metadata.replaced(material.provenance, metadata.text(CALIBRATED, hashes))
    return replace(material, provenance=named)


def open_material(model: Path, *, dequantise: bool = False) -> Material:
    """The material of a checkpoint folder or of a GGUF file, whichever the path names.

    Raises:
        BadInputError: It is neither, or as `gather` and `gather_gguf` say.
    """
    if model.is_dir():
        return gather(open_checkpoint(model))
    return gather_gguf(open_gguf(model), dequantise=dequantise)


def gather(checkpoint: Checkpoint) -> Material:
    """The material of a checkpoint.

    Raises:
        BadInputError: The checkpoint is of no known family, or not what it says it is.
    """
    model = describe(checkpoint)
    vocabulary = read_vocabulary(checkpoint.folder, model.vocabulary_rows)
    material = Material(
        model=model,
        general=tuple(general_fields(checkpoint, model)),
        vocabulary=tuple(vocabulary.fields()),
        provenance=tuple(provenance_fields(checkpoint)),
        between=_auto_type(checkpoint),
        files=tuple(checkpoint.files),
        notes=tuple(vocabulary.notes),
    )
    return calibrated(material, fitted_to(checkpoint))


def fitted_to(checkpoint: Checkpoint) -> list[str]:
    """The texts that a checkpoint says it was fitted to, by the hashes of their files."""
    told = checkpoint.config.get(FITTED)
    return re.findall(r"\b[0-9a-f]{64}\b", told) if isinstance(told, str) else []


def gather_gguf(file: GgufFile, *, dequantise: bool = False) -> Material:
    """The material of a GGUF file; keys that the writer decides anew are left out.

    Args:
        file: as `open_gguf` read it.
        dequantise: take quantised tensors for what they stand for, which is not what they were.

    Raises:
        BadInputError: It is quantised and may not be dequantised, or lacks what a model has.
    """
    if file.quantised and not dequantise:
        raise BadInputError(
            f"The file is quantised already ({file.kinds}), and what that lost cannot be brought "
            "back; start from the original, or give --dequantise to accept the loss."
        )
    weights: dict[str, Weight] = {
        tensor.name: Stored(tensor.name, tensor) for tensor in file.floats
    }
    weights |= {tensor.name: tensor for tensor in file.quantised}
    architecture = file.header.architecture
    if "token_embd.weight" not in weights:
        raise BadInputError("The file holds no token embedding, so it is no whole model.")
    heads = _first(file, "attention.head_count")
    groups = _first(file, "attention.head_count_kv", heads)
    model = Model(
        facts=ModelFacts(architecture, _first(file, "block_count"), heads, groups),
        fields=_of(file, f"{architecture}."),
        weights=tuple(weights[tensor.name] for tensor in file.header.tensors),
        vocabulary_rows=weights["token_embd.weight"].shape[0],
    )
    between = [tensor.type for tensor in file.floats if len(tensor.shape) > 1]
    return Material(
        model=model,
        general=_of(file, "general."),
        vocabulary=_of(file, "tokenizer."),
        provenance=_provenance(file),
        between=between[0] if between and not file.quantised else SourceType.F32,
        files=(file.path,),
    )


def _provenance(file: GgufFile) -> tuple[Field, ...]:
    """What the file says of its making, and what was lost by quantising each time it was."""
    before = _of(file, "bedside.")
    if not file.quantised:
        return before
    lost = "; then ".join(filter(None, (_told(before, _DEQUANTISED), file.kinds)))
    return metadata.replaced(before, metadata.text(_DEQUANTISED, lost))


def _told(fields: Iterable[Field], key: str) -> str:
    """A text among the fields; empty where there is none."""
    found = next((field.value for field in fields if field.key == key), "")
    return found if isinstance(found, str) else ""


def _of(file: GgufFile, prefix: str) -> tuple[Field, ...]:
    return tuple(
        field for field in file.fields if field.key.startswith(prefix) and field.key not in _DECIDED
    )


def _first(file: GgufFile, name: str, default: int | None = None) -> int:
    """A number of the model, or the first layer's where there is one a layer."""
    key = f"{file.header.architecture}.{name}"
    value = next((field.value for field in file.fields if field.key == key), default)
    if isinstance(value, (list, tuple)):
        value = value[0]
    if type(value) is not int:
        raise BadInputError(f"The file does not say its {key}; convert the model again.")
    return value


def _auto_type(checkpoint: Checkpoint) -> SourceType:
    """The stock converter's `auto`: that of the first 16-bit matrix, F16 where there is none."""
    for tensor in checkpoint.tensors.values():
        if len(tensor.shape) >= 2 and tensor.dtype in ("BF16", "F16"):
            return SourceType(tensor.dtype)
    return SourceType.F16
