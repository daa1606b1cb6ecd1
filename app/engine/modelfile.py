"""The strict check of a model file, before llama.cpp sees it, and what its header tells.

llama.cpp's reader has been led to crash or worse by most fields of this format; its authors ask
that untrusted files be checked by whoever opens them. So nothing here trusts a number of the file,
and every refusal is one sentence that says what is wrong and what to do.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from app.engine.header import Header, TensorInfo, parse_header
from app.engine.header_reader import Skipped, Value, shown
from app.engine.modelcheck import WATCHED, check_model, check_not_blank
from app.errors import BadInputError
from app.named_file import NotAFile, open_regular
from app.sanitise import one_line

__all__ = [
    "Header",
    "Skipped",
    "TensorInfo",
    "Value",
    "bits_per_weight",
    "census",
    "parameters",
    "provenance",
    "read_header",
    "tensor_bytes",
]

_PROVENANCE = (
    "general.name",
    "general.basename",
    "general.finetune",
    "general.size_label",
    "general.author",
    "general.organization",
    "general.license",
    "general.source.url",
    "general.source.huggingface.repository",
    "general.base_model.0.name",
    "general.base_model.0.repo_url",
    "general.description",
    "general.quantized_by",
)
_OTHER_FORMATS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs.github.com/spec/",
        "{} is a Git LFS pointer, not the model itself. Run `git lfs pull` where it came from, "
        "or download the file itself.",
    ),
    (b"PK\x03\x04", "{} is a zip archive or a PyTorch checkpoint, not a GGUF model. {convert}"),
    (b"\x80\x02", "{} is a Python pickle, which can run code when opened. {convert}"),
    (b"\x1f\x8b", "{} is compressed with gzip. Unpack it, then use the file inside."),
    (b"lmgg", "{} is in GGML's first format, which llama.cpp no longer reads. {newer}"),
    (b"fmgg", "{} is in the old GGMF format, which llama.cpp no longer reads. {newer}"),
    (b"tjgg", "{} is in the old GGJT format, which llama.cpp no longer reads. {newer}"),
    (b"FUGG", "{} is written for big-endian computers. Get the little-endian file."),
)
_ADVICE = {
    "convert": "Use a .gguf file, or make one with `bedside-convert convert`.",
    "newer": "Get a newer .gguf file of the same model.",
}


def read_header(path: Path) -> Header:
    """Checks a model file and returns its header.

    Long arrays (the vocabulary) are checked and left out; the weights are not read, apart from a
    few samples that tell a file of zeros. A vocabulary of 128,000 tokens takes about 0.1 s.

    Raises:
        BadInputError: the file is missing, is no model, or is malformed; the sentence says which.
    """
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            return _read(file, size, path)
        except OSError as error:
            raise BadInputError(
                f"{_file(path)} could not be read ({error.strerror}). Check the disk or card it "
                "lies on, or copy it elsewhere."
            ) from error


def census(header: Header) -> Mapping[str, int]:
    """Tensor type to the number of tensors that have it, the most frequent first."""
    return dict(Counter(tensor.type.name for tensor in header.tensors).most_common())


def parameters(header: Header) -> int:
    """Number of weights in all tensors."""
    return sum(tensor.elements for tensor in header.tensors)


def tensor_bytes(header: Header) -> int:
    """Bytes of all tensors, without header and padding."""
    return sum(tensor.bytes for tensor in header.tensors)


def bits_per_weight(header: Header) -> float:
    """Bits of all tensors over the number of weights: the honest size of a quantisation."""
    return 8 * tensor_bytes(header) / parameters(header)


def provenance(header: Header) -> Mapping[str, str]:
    """What the file says of its origin, safe to print; keys without the `general.` before them.

    Keys that `bedside-convert` writes (`bedside.…`) keep their whole name.
    """
    told = {
        key.removeprefix("general."): one_line(str(header.metadata[key]))
        for key in _PROVENANCE
        if isinstance(header.metadata.get(key), str)
    }
    own = {
        one_line(key, 80): one_line(str(value))
        for key, value in header.metadata.items()
        if key.startswith("bedside.") and isinstance(value, str | int | float)
    }
    return told | own


def _open(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except ValueError as error:
        raise BadInputError("The name of the model file holds a NUL character.") from error
    except OSError as error:
        raise BadInputError(f"{_file(path)} {_cannot_open(error)}") from error


def _cannot_open(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "does not exist. `bedside models list` shows the models that there are."
        case PermissionError():
            return "may not be read by you. Change its permissions or copy it."
        case IsADirectoryError():
            return (
                "is a folder. Name the .gguf file in it, or convert a checkpoint folder with "
                "`bedside-convert convert`."
            )
        case NotAFile():
            return "is a pipe or a device, not a file. Name a .gguf file."
        case _:
            reason = error.strerror or "unknown reason"
            return f"cannot be opened ({reason}). Check the path for links that go in a circle."


def _read(file: BinaryIO, size: int, path: Path) -> Header:
    _check_magic(file.read(64), path)
    file.seek(0)
    header, arrays = parse_header(file, size, WATCHED)
    check_model(header, arrays)
    check_not_blank(header, file)
    return header


def _check_magic(start: bytes, path: Path) -> None:
    if start[:4] == b"GGUF":
        return
    if not start:
        raise BadInputError(f"{_file(path)} is empty. Get it again from its source.")
    for magic, sentence in _OTHER_FORMATS:
        if start.startswith(magic):
            raise BadInputError(sentence.format(_file(path), **_ADVICE))
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise BadInputError(
            f"{_file(path)} is a web page, not a model: the download gave an error page. Open its "
            "address in a browser to see why, then download it again."
        )
    if not start.strip(b"\0"):
        raise BadInputError(
            f"{_file(path)} begins with zeros: its download or copy did not finish. Get it again."
        )
    if start[8:9] == b"{":
        raise BadInputError(
            f"{_file(path)} looks like a safetensors file, not a GGUF model. {_ADVICE['convert']}"
        )
    if len(start) < 4:
        raise BadInputError(f"{_file(path)} ends after {len(start)} bytes. Get it again.")
    raise BadInputError(f"{_file(path)} is no GGUF model. {_ADVICE['convert']}")


def _file(path: Path) -> str:
    return shown(str(path))
