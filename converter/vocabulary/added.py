"""Tokens that were added to a vocabulary after it was trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gguf import TokenType

from app.errors import BadInputError
from app.sanitise import one_line

_CONTROL_LOOKS = frozenset({"<pad>", "<mask>", "<2mass>", "[@BOS@]"})
_CONTROL_EDGES = (("<|", "|>"), ("<｜", "｜>"), ("<unused", ">"))
"""What llama.cpp's stock converter takes for control tokens though nobody marked them so."""


@dataclass(frozen=True, slots=True)
class AddedToken:
    """One added token; whether it is special decides if a user's text can ever become it."""

    id: int
    text: str
    special: bool

    @classmethod
    def checked(cls, number: object, text: object, special: object, rows: int) -> AddedToken:
        """A token of a file, with an id below `rows`.

        Raises:
            BadInputError: the id is outside the vocabulary, or the entry is no token at all.
        """
        if not isinstance(number, int) or isinstance(number, bool) or not isinstance(text, str):
            raise BadInputError(
                "The tokenizer's files list an added token without a text or a whole number as its "
                "id; they are damaged, so fetch them again."
            )
        if not 0 <= number < rows:
            raise BadInputError(
                f"The tokenizer adds {one_line(text, 40)!r} as token {number}, but the embedding "
                f"matrix has {rows} rows; remove that token from the tokenizer's files."
            )
        return cls(number, text, bool(special))

    @property
    def kind(self) -> TokenType:
        """A control token, or one that stands for its own text."""
        looks = self.text in _CONTROL_LOOKS or any(
            self.text.startswith(first) and self.text.endswith(last)
            for first, last in _CONTROL_EDGES
        )
        return TokenType.CONTROL if self.special or looks else TokenType.USER_DEFINED

    def written(self) -> str:
        """The text as llama.cpp compares it: with spaces for ▁ where the token is its own text."""
        return self.text if self.kind is TokenType.CONTROL else self.text.replace("▁", " ")


def from_config(config: Mapping[str, object], rows: int) -> Iterator[AddedToken]:
    """The tokens under `added_tokens_decoder` in tokenizer_config.json."""
    entries = config.get("added_tokens_decoder") or {}
    if not isinstance(entries, dict):
        raise BadInputError(
            "added_tokens_decoder of tokenizer_config.json is no list of tokens by id; "
            "the file is damaged, so fetch it again."
        )
    for number, entry in entries.items():
        parts = entry if isinstance(entry, dict) else {}
        plain = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
        yield AddedToken.checked(plain, parts.get("content"), parts.get("special"), rows)
