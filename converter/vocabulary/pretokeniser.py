"""Which of llama.cpp's pre-tokenisers cuts texts as a tokenizer.json does.

The stock converter finds the name by hashing the ids of a test text, which needs the vocabulary of
a known model. The description inside tokenizer.json says the same outright: each row below is a
pre-tokeniser whose pattern stands in llama.cpp's own `llama-vocab.cpp`, and tests compare its cuts
with those of the `tokenizers` package around every character. (DeepSeek Coder's is left out: its
cuts differ around rare spaces.) Several names of llama.cpp mean the same rules (a
Falcon 3 is cut as a Llama 3); the commonest is written then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import BadInputError

_LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN_2 = _LLAMA_3.replace(r"\p{N}{1,3}", r"\p{N}")

_BYTES = "bytes"
"""Bytes to letters, without cutting."""
_GPT_2 = "gpt-2"
"""The same after cutting by GPT-2's pattern, which is built into the `tokenizers` package."""
_DIGIT = "digit"
"""Every digit by itself."""
_OTHER = ""
"""Any other step, which no row of the table has."""

_NAMES: dict[tuple[tuple[str, ...], bool], str] = {
    ((_LLAMA_3, _BYTES), True): "llama-bpe",
    ((_LLAMA_3, _BYTES), False): "smaug-bpe",
    ((_QWEN_2, _BYTES), False): "qwen2",
    ((_GPT_2,), False): "gpt-2",
    ((_DIGIT, _GPT_2), False): "smollm",
}
"""By the steps, and whether a word that is a token itself is taken whole before any merging."""


@dataclass(frozen=True, slots=True)
class PreTokeniser:
    """A pre-tokeniser of llama.cpp, by its name there."""

    name: str
    composes: bool
    """Whether texts are brought to Unicode's composed form (NFC) first, which llama.cpp omits."""


def recognise(tokenizer: Mapping[str, Any], *, ignore_merges: bool) -> PreTokeniser:
    """The pre-tokeniser that a tokenizer.json describes.

    Raises:
        BadInputError: llama.cpp has none that is known to cut texts the same way.
    """
    steps = tuple(_step(part) for part in _parts(tokenizer.get("pre_tokenizer"), "pretokenizers"))
    normalisers = [part.get("type") for part in _parts(tokenizer.get("normalizer"), "normalizers")]
    name = _NAMES.get((steps, ignore_merges))
    if name is None or normalisers not in ([], ["NFC"]):
        raise BadInputError(
            "tokenizer.json splits texts in a way that Bedside does not know from llama.cpp, and a "
            "guess would give wrong token ids; convert a model of a family that is supported."
        )
    return PreTokeniser(name, normalisers == ["NFC"])


def _parts(described: Any, plural: str) -> Iterator[Mapping[str, Any]]:
    """The steps of a sequence, one after the other, or the one step there is."""
    if described is None:
        return
    if not isinstance(described, dict):
        yield {}
    elif described.get("type") == "Sequence" and isinstance(described.get(plural), list):
        for part in described[plural]:
            yield from _parts(part, plural)
    else:
        yield described


def _step(part: Mapping[str, Any]) -> str:
    """A step as the table writes it."""
    match part:
        case {"type": "Split", "pattern": {"Regex": str(pattern)}, "behavior": "Isolated"}:
            return _OTHER if part.get("invert") else pattern
        case {"type": "Digits", "individual_digits": True}:
            return _DIGIT
        case {"type": "ByteLevel", "add_prefix_space": False}:
            return _GPT_2 if part.get("use_regex", True) else _BYTES
        case _:
            return _OTHER
