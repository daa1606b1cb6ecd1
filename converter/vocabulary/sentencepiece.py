"""SentencePiece (`tokenizer.model`) as llama.cpp's "llama" vocabulary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gguf import TokenType
from sentencepiece import SentencePieceProcessor

from app.errors import BadInputError
from app.sanitise import one_line
from converter.vocabulary.added import AddedToken, from_config
from converter.vocabulary.modelproto import Settings, read_settings
from converter.vocabulary.vocabulary import TokenTable

_UNUSED_SCORE = -10000.0
_ADDED_SCORE = -1000.0
"""Scores that the stock converter gives to rows without a piece and to added tokens."""


@dataclass(frozen=True, slots=True)
class _Row:
    token: str
    score: float
    kind: TokenType


def read_sentencepiece(
    data: bytes, added: Mapping[str, object], config: Mapping[str, object], rows: int
) -> TokenTable:
    """The pieces of a model, with added tokens in place, filled up to the embedding matrix.

    Args:
        data: tokenizer.model.
        added: added_tokens.json, text to id; empty where there is none.
        config: tokenizer_config.json; empty where there is none.
        rows: rows of the embedding matrix.

    Raises:
        BadInputError: not a SentencePiece model, one llama.cpp cannot follow, or more pieces or
            higher ids than rows.
    """
    processor, settings = _load(data)
    if processor.vocab_size() > rows:
        raise BadInputError(
            f"tokenizer.model has {processor.vocab_size()} pieces, but the embedding matrix has "
            f"{rows} rows; the tokenizer belongs to another model."
        )
    table = [_Row(f"[PAD{i}]", _UNUSED_SCORE, TokenType.UNUSED) for i in range(rows)]
    for number in range(processor.vocab_size()):
        table[number] = _piece(processor, number)
    for text, stated in added.items():
        token = AddedToken.checked(stated, text, False, rows)
        table[token.id] = _Row(token.text, _ADDED_SCORE, TokenType.USER_DEFINED)
    for token in from_config(config, rows):
        table[token.id] = _Row(token.written(), _ADDED_SCORE, token.kind)
    return TokenTable(
        model="llama",
        pre="default",
        tokens=tuple(row.token for row in table),
        types=tuple(row.kind for row in table),
        scores=tuple(row.score for row in table),
        space_prefix=_space_prefix(config, settings),
        notes=tuple(_notes(settings)),
    )


def _load(data: bytes) -> tuple[SentencePieceProcessor, Settings]:
    processor = SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(data)
    except (RuntimeError, UnicodeDecodeError) as error:
        # UnicodeDecodeError: SentencePiece's own message quotes the damaged bytes.
        raise BadInputError(
            "tokenizer.model is not a SentencePiece model, or a damaged one; fetch it again, or "
            "remove it where tokenizer.json is the model's own."
        ) from error
    settings = read_settings(data)
    if settings.algorithm != "BPE":
        raise BadInputError(
            f"tokenizer.model is of the {settings.algorithm} kind; llama.cpp follows only the BPE "
            "kind for this family, and its token ids would be wrong."
        )
    return processor, settings


def _piece(processor: SentencePieceProcessor, number: int) -> _Row:
    try:
        token, score = processor.IdToPiece(number), processor.GetScore(number)
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"Piece {number} of tokenizer.model is no valid text; the file is damaged, "
            "so fetch it again."
        ) from error
    if not math.isfinite(score):
        raise BadInputError(
            f"Piece {one_line(token, 40)!r} of tokenizer.model has a score that is not a number; "
            "the file is damaged, so fetch it again."
        )
    return _Row(token, score, _kind(processor, number))


def _kind(processor: SentencePieceProcessor, number: int) -> TokenType:
    """As the stock converter has it: a user-defined piece counts as such by the files beside it."""
    if processor.IsUnknown(number):
        return TokenType.UNKNOWN
    if processor.IsControl(number):
        return TokenType.CONTROL
    if processor.IsUnused(number):
        return TokenType.UNUSED
    if processor.IsByte(number):
        return TokenType.BYTE
    return TokenType.NORMAL


def _space_prefix(config: Mapping[str, object], settings: Settings) -> bool | None:
    """What tokenizer_config.json says; else what the model itself does, where that is to add none.

    llama.cpp adds a space unless told not to. The stock converter leaves it at that when
    tokenizer_config.json is silent, and the first token of every text is then another.
    """
    stated = config.get("add_prefix_space")
    if isinstance(stated, bool):
        return stated
    return None if settings.dummy_prefix else False


def _notes(settings: Settings) -> Iterator[str]:
    if settings.normalises:
        yield (
            "The tokenizer normalises texts (such as full-width letters or double spaces) before "
            "it splits them; llama.cpp does not, so such texts get other token ids."
        )
