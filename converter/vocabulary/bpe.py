"""Byte-level BPE (`tokenizer.json`) as llama.cpp's "gpt2" vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gguf import TokenType

from app.errors import BadInputError
from app.sanitise import one_line
from converter.vocabulary.added import AddedToken, from_config
from converter.vocabulary.pretokeniser import recognise
from converter.vocabulary.vocabulary import TokenTable


def read_bpe(tokenizer: Mapping[str, Any], config: Mapping[str, object], rows: int) -> TokenTable:
    """The tokens and merges of a tokenizer.json, filled up to the embedding matrix.

    Args:
        tokenizer: tokenizer.json.
        config: tokenizer_config.json; empty where there is none.
        rows: rows of the embedding matrix.

    Raises:
        BadInputError: not byte-level BPE, a way of splitting llama.cpp does not have, or tokens,
            ids or merges that do not fit together.
    """
    model = tokenizer.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE":
        raise _unsupported("it is not byte-pair encoding (BPE)")
    if model.get("byte_fallback"):
        raise _unsupported("it is SentencePiece's kind; put its tokenizer.model in the folder")
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise _unsupported("it marks the parts of words, which llama.cpp does not")
    pre = recognise(tokenizer, ignore_merges=bool(model.get("ignore_merges")))
    vocabulary = _vocabulary(model.get("vocab"), rows)
    tokens = [f"[PAD{i}]" for i in range(rows)]
    types = [TokenType.UNUSED] * rows
    for token, number in vocabulary.items():
        tokens[number], types[number] = token, TokenType.NORMAL
    for added in _added(tokenizer, config, rows):
        unnamed = types[added.id] is TokenType.UNUSED and added.text not in vocabulary
        if not unnamed and vocabulary.get(added.text) != added.id:
            raise _contradiction(added.text)
        tokens[added.id], types[added.id] = added.written(), added.kind
    stated = config.get("add_prefix_space")
    return TokenTable(
        model="gpt2",
        pre=pre.name,
        tokens=tuple(tokens),
        types=tuple(types),
        merges=tuple(_merges(model.get("merges"), vocabulary)),
        space_prefix=stated if isinstance(stated, bool) else None,
        notes=(_NFC_NOTE,) if pre.composes else (),
    )


_NFC_NOTE = (
    "The tokenizer composes letters and their accents (Unicode NFC) before it splits a text; "
    "llama.cpp does not, so accents typed apart from their letters get other token ids."
)


def _vocabulary(vocabulary: Any, rows: int) -> dict[str, int]:
    if not isinstance(vocabulary, dict) or not vocabulary:
        raise _unsupported("it lists no tokens")
    for token, number in vocabulary.items():
        AddedToken.checked(number, token, False, rows)
    if len(set(vocabulary.values())) != len(vocabulary):
        raise _unsupported("it gives two tokens one id")
    return vocabulary


def _added(
    tokenizer: Mapping[str, Any], config: Mapping[str, object], rows: int
) -> Iterator[AddedToken]:
    """Tokens of tokenizer.json, then those that only tokenizer_config.json has."""
    entries = tokenizer.get("added_tokens") or []
    if not isinstance(entries, list):
        raise _unsupported("its list of added tokens is damaged")
    known = set()
    for entry in entries:
        parts = entry if isinstance(entry, dict) else {}
        token = AddedToken.checked(
            parts.get("id"), parts.get("content"), parts.get("special"), rows
        )
        known.add(token.id)
        yield token
    yield from (token for token in from_config(config, rows) if token.id not in known)


def _merges(merges: Any, vocabulary: Mapping[str, int]) -> Iterator[str]:
    """Each merge as "left right", from that form or from pairs.

    A space inside a part, which pairs allow, is written as byte-level BPE writes it elsewhere (Ġ).
    """
    if not isinstance(merges, list) or not merges:
        raise _unsupported("it lists no merges")
    for merge in merges:
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or len(parts) != 2:
            raise _unsupported("one of its merges is not a pair")
        left, right = parts
        if not isinstance(left, str) or not isinstance(right, str):
            raise _unsupported("one of its merges is not a pair of texts")
        if not {left, right, left + right} <= vocabulary.keys():
            raise _contradiction(f"{left} {right}")
        yield f"{left.replace(' ', 'Ġ')} {right.replace(' ', 'Ġ')}"


def _unsupported(reason: str) -> BadInputError:
    return BadInputError(f"tokenizer.json cannot be used: {reason}.")


def _contradiction(text: str) -> BadInputError:
    return BadInputError(
        f"tokenizer.json contradicts itself about {one_line(text, 40)!r}; it is damaged, "
        "so fetch it again."
    )
