"""From a checkpoint's tokenizer files to the `tokenizer.*` keys of a GGUF file."""

from __future__ import annotations

from pathlib import Path

from app.errors import BadInputError
from converter.checkpoint.folder import read_member
from converter.checkpoint.strictjson import parse_object
from converter.vocabulary.bpe import read_bpe
from converter.vocabulary.sentencepiece import read_sentencepiece
from converter.vocabulary.special import read_special
from converter.vocabulary.template import read_templates
from converter.vocabulary.vocabulary import Vocabulary

__all__ = ["Vocabulary", "read_vocabulary"]


def read_vocabulary(folder: Path, rows: int) -> Vocabulary:
    """The vocabulary of a checkpoint folder, as llama.cpp's stock converter would write it.

    `tokenizer.model` (SentencePiece) goes before `tokenizer.json` (byte-level BPE) where a folder
    has both, as it does there.

    Args:
        folder: the checkpoint; nothing outside it is read.
        rows: rows of the embedding matrix. llama.cpp wants as many tokens, so ids that no file
            names are filled up with unused ones.

    Raises:
        BadInputError: no tokenizer, a damaged one, one that llama.cpp would tokenise differently,
            or one that does not fit the embedding matrix.
    """
    pieces = read_member(folder, "tokenizer.model")
    tokenizer = _object(folder, "tokenizer.json")
    config = _object(folder, "tokenizer_config.json") or {}
    if pieces is not None:
        added = _object(folder, "added_tokens.json") or {}
        table = read_sentencepiece(pieces, added, config, rows)
    elif tokenizer is not None:
        table = read_bpe(tokenizer, config, rows)
    else:
        raise BadInputError(
            "The checkpoint has no tokenizer: neither tokenizer.model nor tokenizer.json is in its "
            "folder; copy it there from the model it was trained from."
        )
    special = read_special(tokenizer or {}, config, _object(folder, "config.json") or {}, rows)
    return Vocabulary(table, special, read_templates(folder, config))


def _object(folder: Path, name: str) -> dict[str, object] | None:
    data = read_member(folder, name)
    return None if data is None else parse_object(data, name)
