"""What goes into a file before its type is chosen: the exporter takes it, whatever made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from converter.architecture import Model, describe
from converter.checkpoint import Checkpoint, SourceType
from converter.general import general_fields, provenance_fields
from converter.metadata import Field
from converter.quantise import FileType
from converter.vocabulary import read_vocabulary


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


def gather(checkpoint: Checkpoint) -> Material:
    """The material of a checkpoint.

    Raises:
        BadInputError: The checkpoint is of no known family, or not what it says it is.
    """
    model = describe(checkpoint)
    vocabulary = read_vocabulary(checkpoint.folder, model.vocabulary_rows)
    return Material(
        model=model,
        general=tuple(general_fields(checkpoint, model)),
        vocabulary=tuple(vocabulary.fields()),
        provenance=tuple(provenance_fields(checkpoint)),
        between=_auto_type(checkpoint),
        files=tuple(checkpoint.files),
        notes=tuple(vocabulary.notes),
    )


def _auto_type(checkpoint: Checkpoint) -> SourceType:
    """The stock converter's `auto`: that of the first 16-bit matrix, F16 where there is none."""
    for tensor in checkpoint.tensors.values():
        if len(tensor.shape) >= 2 and tensor.dtype in ("BF16", "F16"):
            return SourceType(tensor.dtype)
    return SourceType.F16
