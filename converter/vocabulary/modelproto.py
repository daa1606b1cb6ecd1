"""How a SentencePiece model splits texts: the few settings that its Python package does not show.

A tokenizer.model is a Protocol Buffers message (sentencepiece_model.proto): field 2 is how it was
trained, field 3 how it normalises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import BadInputError

_ALGORITHMS = {1: "unigram", 2: "BPE", 3: "word", 4: "character"}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TRAINER, _NORMALISER = 2, 3


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides whether llama.cpp can follow a model."""

    algorithm: str
    dummy_prefix: bool
    """Whether a text is given a space in front."""
    normalises: bool
    """Whether texts are rewritten beyond that before they are split."""


def read_settings(data: bytes) -> Settings:
    """The settings of a model that SentencePiece itself has accepted.

    Raises:
        BadInputError: the message breaks off or holds what no such message does.
    """
    message = _last_fields(data)
    trainer = _last_fields(_nested(message, _TRAINER))
    normaliser = _last_fields(_nested(message, _NORMALISER))
    return Settings(
        algorithm=_ALGORITHMS.get(_number(trainer, 3, 1), "unknown"),
        dummy_prefix=bool(_number(normaliser, 3, 1)),
        normalises=bool(_nested(normaliser, 2)) or bool(_number(normaliser, 4, 1)),
    )


def _number(fields: dict[int, int | bytes], field: int, default: int) -> int:
    value = fields.get(field, default)
    return value if isinstance(value, int) else default


def _nested(fields: dict[int, int | bytes], field: int) -> bytes:
    value = fields.get(field, b"")
    return value if isinstance(value, bytes) else b""


def _last_fields(data: bytes) -> dict[int, int | bytes]:
    """The last value of each field, which is the one that counts."""
    return dict(_fields(data))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        if wire == _BYTES:
            size, position = _varint(data, position)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise _damaged()
        if position + size > len(data):
            raise _damaged()
        yield tag >> 3, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _damaged()


def _damaged() -> BadInputError:
    return BadInputError("tokenizer.model is damaged; fetch it again.")
