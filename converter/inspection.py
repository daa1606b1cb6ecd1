"""What a checkpoint or a GGUF file holds, told without loading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gguf import Keys

from app.engine.modelfile import Header, Skipped, Value, provenance, read_header
from app.errors import BadInputError
from app.sanitise import clean, one_line
from converter.architecture import describe
from converter.census import Census, take_census
from converter.checkpoint import Checkpoint, open_checkpoint
from converter.general import general_fields
from converter.metadata import Field, Scalar
from converter.vocabulary import read_vocabulary

_SHAPES = {
    "layers": "block_count",
    "context": "context_length",
    "width": "embedding_length",
    "neurons": "feed_forward_length",
    "heads": "attention.head_count",
    "key/value heads": "attention.head_count_kv",
    "head size": "attention.key_length",
    "rope base": "rope.freq_base",
    "rope scaling": "rope.scaling.type",
}
"""What people call a number, and its key after the architecture's name."""
_LIST = "tokenizer.ggml.tokens"


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that `inspect` prints; texts of the file are cleaned for a terminal."""

    form: str
    """What kind of file or folder it is."""
    nbytes: int
    """Of the file, or of all files that hold weights."""
    architecture: str
    shapes: Mapping[str, str | int | float]
    census: Census
    tokenizer: Mapping[str, str | int | float]
    template: str | None
    """The chat template, or None when there is none."""
    sampling: Mapping[str, str | int | float]
    """What its makers advise for temperature and the like."""
    provenance: Mapping[str, str]


def inspect(path: Path) -> Inspection:
    """Look into a GGUF file or a checkpoint folder.

    Raises:
        BadInputError: It is neither, or it is damaged.
    """
    if path.is_dir():
        return _inspect_checkpoint(open_checkpoint(path))
    if path.suffix in (".safetensors", ".json"):
        raise BadInputError(
            f"{one_line(path.name)} is one file of a checkpoint; name the folder that it is in."
        )
    return _inspect_gguf(read_header(path))


def _inspect_gguf(header: Header) -> Inspection:
    return Inspection(
        form=f"GGUF version {header.version}",
        nbytes=header.file_bytes,
        architecture=one_line(header.architecture),
        shapes=_shapes(header.architecture, header.metadata),
        census=take_census(
            (tensor.type.name, tensor.elements, tensor.bytes) for tensor in header.tensors
        ),
        tokenizer=_tokenizer(header.metadata),
        template=_template(header.metadata),
        sampling=_sampling(header.metadata),
        provenance=provenance(header),
    )


def _inspect_checkpoint(checkpoint: Checkpoint) -> Inspection:
    """The checkpoint as its GGUF file would say it, with the bytes that it takes now."""
    model = describe(checkpoint)
    vocabulary = read_vocabulary(checkpoint.folder, model.vocabulary_rows)
    general = general_fields(checkpoint, model)
    fields = {field.key: field.value for field in (*general, *model.fields, *vocabulary.fields())}
    tensors = checkpoint.tensors.values()
    return Inspection(
        form=f"checkpoint in {_files(len(checkpoint.files))}",
        nbytes=sum(path.stat().st_size for path in checkpoint.files),
        architecture=model.facts.architecture,
        shapes=_shapes(model.facts.architecture, fields),
        census=take_census((tensor.dtype, tensor.elements, tensor.nbytes) for tensor in tensors),
        tokenizer=_tokenizer(fields),
        template=_template(fields),
        sampling=_sampling(fields),
        provenance=_authorship(general),
    )


_Fields = Mapping[str, Value] | Mapping[str, Scalar | Sequence[Scalar]]


def _shapes(architecture: str, fields: _Fields) -> dict[str, str | int | float]:
    found = {name: fields.get(f"{architecture}.{key}") for name, key in _SHAPES.items()}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _tokenizer(fields: _Fields) -> dict[str, str | int | float]:
    tokens = fields.get(_LIST)
    told: dict[str, object] = {
        "algorithm": fields.get(Keys.Tokenizer.MODEL),
        "pre-tokeniser": fields.get(Keys.Tokenizer.PRE),
        "tokens": tokens.count if isinstance(tokens, Skipped) else _length(tokens),
        "begin token": fields.get(Keys.Tokenizer.BOS_ID),
        "end token": fields.get(Keys.Tokenizer.EOS_ID),
        "adds the begin token": fields.get(Keys.Tokenizer.ADD_BOS),
    }
    return {name: _plain(value) for name, value in told.items() if value is not None}


def _sampling(fields: _Fields) -> dict[str, str | int | float]:
    prefix = "general.sampling."
    return {
        one_line(key.removeprefix(prefix)): _plain(value)
        for key, value in fields.items()
        if key.startswith(prefix)
    }


def _authorship(general: Sequence[Field]) -> dict[str, str]:
    """What the general keys say of the model's origin, in the names that `provenance` uses."""
    told = {field.key.removeprefix("general."): field.value for field in general}
    return {
        one_line(name): one_line(value)
        for name, value in told.items()
        if isinstance(value, str) and name not in ("architecture", "type")
    }


def _files(count: int) -> str:
    return "one safetensors file" if count == 1 else f"{count} safetensors files"


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, (tuple, list)) else None


def _template(fields: _Fields) -> str | None:
    template = fields.get(Keys.Tokenizer.CHAT_TEMPLATE)
    return clean(template) if isinstance(template, str) else None


def _plain(value: object) -> str | int | float:
    """A value fit to be printed: a number, or a text on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return float(f"{value:.7g}")  # a float32, without the digits that it never had
    if isinstance(value, int):
        return value
    if isinstance(value, (tuple, list)):
        return one_line(", ".join(map(str, value)))
    return one_line(str(value))
