"""A vocabulary in llama.cpp's terms, and the keys it is written as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gguf import GGUFValueType, Keys, TokenType

from app.errors import BadInputError
from app.sanitise import one_line
from converter.metadata import Field, array, flag, text, uint32
from converter.vocabulary.special import SpecialTokens
from converter.vocabulary.template import Templates

_ID_KEYS = {
    "bos": Keys.Tokenizer.BOS_ID,
    "eos": Keys.Tokenizer.EOS_ID,
    "unk": Keys.Tokenizer.UNK_ID,
    "sep": Keys.Tokenizer.SEP_ID,
    "pad": Keys.Tokenizer.PAD_ID,
    "mask": Keys.Tokenizer.MASK_ID,
    "eot": Keys.Tokenizer.EOT_ID,
    "eom": Keys.Tokenizer.EOM_ID,
}
_ADD_KEYS = {
    "bos": Keys.Tokenizer.ADD_BOS,
    "eos": Keys.Tokenizer.ADD_EOS,
    "sep": Keys.Tokenizer.ADD_SEP,
}

_GRANITE_SIZE = 49152
"""The vocabulary of Granite and SmolLM, to which the stock converter never adds a BOS."""


@dataclass(frozen=True, slots=True)
class TokenTable:
    """What a tokenizer file says, one entry for each row of the embedding matrix."""

    model: str
    """llama.cpp's name of the algorithm: "llama" (SentencePiece) or "gpt2" (byte-level BPE)."""
    pre: str
    """Its name of the pre-tokeniser."""
    tokens: tuple[str, ...]
    types: tuple[TokenType, ...]
    scores: tuple[float, ...] = ()
    """For SentencePiece, the order of merging; empty for BPE."""
    merges: tuple[str, ...] = ()
    """For BPE, the pairs to merge, best first; empty for SentencePiece."""
    space_prefix: bool | None = None
    """Whether a text is given a space in front; None leaves it to llama.cpp."""
    notes: tuple[str, ...] = ()
    """Sentences on where llama.cpp's ids may differ from those the model was trained on."""

    def __post_init__(self) -> None:
        """Refuse what llama.cpp would end the process over: tokens it cannot tell apart.

        It reads a token up to its first NUL and names an empty one by its id.
        """
        seen: set[str] = set()
        for number, token in enumerate(self.tokens):
            read = token.split("\0")[0] or f"[EMPTY_{number}]"
            if read in seen:
                raise BadInputError(
                    f"The tokenizer has the token {one_line(token, 40)!r} twice, which llama.cpp "
                    "cannot load; remove the second one."
                )
            seen.add(read)
            _check_text(token)


def _check_text(token: str) -> None:
    try:
        token.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(
            "The tokenizer has a token that is no valid text (half of a UTF-16 pair); "
            "it is damaged, so fetch it again."
        ) from error


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A whole vocabulary: tokens, special tokens and chat templates."""

    table: TokenTable
    special: SpecialTokens
    templates: Templates

    @property
    def size(self) -> int:
        """How many tokens there are: one for each row of the embedding matrix."""
        return len(self.table.tokens)

    @property
    def model(self) -> str:
        """llama.cpp's name of the algorithm: "llama" or "gpt2"."""
        return self.table.model

    @property
    def pre(self) -> str:
        """llama.cpp's name of the pre-tokeniser."""
        return self.table.pre

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences a person should read: where ids may differ from the trained ones."""
        return self.table.notes

    def fields(self) -> list[Field]:
        """Every `tokenizer.*` key, in the stock converter's order and with its values."""
        fields = {field.key: field for field in self._fields()}
        if self.size == _GRANITE_SIZE:
            fields[Keys.Tokenizer.ADD_BOS] = flag(Keys.Tokenizer.ADD_BOS, False)
        return list(fields.values())

    def _fields(self) -> Iterator[Field]:
        table = self.table
        if table.space_prefix is not None:
            yield flag(Keys.Tokenizer.ADD_PREFIX, table.space_prefix)
        yield text(Keys.Tokenizer.MODEL, table.model)
        yield text(Keys.Tokenizer.PRE, table.pre)
        yield array(Keys.Tokenizer.LIST, table.tokens, GGUFValueType.STRING)
        if table.scores:
            yield array(Keys.Tokenizer.SCORES, table.scores, GGUFValueType.FLOAT32)
        types = tuple(int(kind) for kind in table.types)
        yield array(Keys.Tokenizer.TOKEN_TYPE, types, GGUFValueType.INT32)
        if table.merges:
            yield array(Keys.Tokenizer.MERGES, table.merges, GGUFValueType.STRING)
        for name, number in self.special.ids.items():
            if name in _ID_KEYS:
                yield uint32(_ID_KEYS[name], number)
        for name, wanted in self.special.added.items():
            if name in _ADD_KEYS:
                yield flag(_ADD_KEYS[name], wanted)
        yield from self.templates.fields()
