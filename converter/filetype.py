"""What a person asks of the quantiser: a mixture for the file, and exceptions for some tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from gguf import GGMLQuantizationType as Kind

from app.errors import UsageError
from app.sanitise import one_line
from converter import ggml


class FileType(Enum):
    """The mixtures a file can have; the values are llama.cpp's `llama_ftype` numbers."""

    F32 = 0
    F16 = 1
    BF16 = 32
    Q8_0 = 7
    Q2_K = 10
    Q3_K_S = 11
    Q3_K_M = 12
    Q3_K_L = 13
    Q4_K_S = 14
    Q4_K_M = 15
    Q5_K_S = 16
    Q5_K_M = 17
    Q6_K = 18
    IQ2_XXS = 19
    IQ2_XS = 20
    IQ2_S = 28
    IQ2_M = 29
    IQ3_XXS = 23
    IQ3_XS = 22
    IQ3_S = 26
    IQ3_M = 27
    IQ4_XS = 30
    IQ4_NL = 25

    @classmethod
    def parse(cls, text: str) -> FileType:
        """The file type a person named; `Q4_K` and its like mean the medium mixture.

        Raises:
            UsageError: there is no such type; the sentence lists those there are.
        """
        name = text.strip().upper()
        for candidate in (name, f"{name}_M"):
            if candidate in cls.__members__:
                return cls[candidate]
        raise UsageError(
            f"There is no file type {one_line(text, 40)!r}; "
            f"choose one of {', '.join(cls.__members__)}."
        )

    @property
    def ftype(self) -> int:
        """The number that the file states as `general.file_type`."""
        return self.value

    @property
    def base(self) -> Kind:
        """The type of a tensor for which no rule says otherwise."""
        if self.name in _BASES:
            return _BASES[self.name]
        return Kind[re.sub(r"_K_[SML]$", "_K", self.name)]

    @property
    def is_float(self) -> bool:
        """Whether the file is not quantised at all."""
        return self.base in ggml.FLOATS


_BASES = {"IQ2_S": Kind.IQ2_XS, "IQ2_M": Kind.IQ2_S, "IQ3_XS": Kind.IQ3_S, "IQ3_M": Kind.IQ3_S}
"""Mixtures that llama.cpp does not build on the type they are named after."""


@dataclass(frozen=True, slots=True)
class Override:
    """A type for every quantised tensor whose name the expression is found in."""

    pattern: re.Pattern[str]
    kind: Kind

    @classmethod
    def parse(cls, text: str) -> Override:
        """`REGEX=TYPE`, as `llama-quantize --tensor-type` takes it: case does not matter.

        Raises:
            UsageError: it is not of this form, or Python and llama.cpp read the expression
                differently, so that another tensor would be meant than the stock tools mean.
        """
        expression, equals, kind = text.rpartition("=")
        name = kind.strip().upper()
        if not equals or not expression:
            raise UsageError(
                f"{one_line(text, 80)!r} is no exception of the form REGEX=TYPE, "
                "such as ffn_down=Q6_K."
            )
        if name not in Kind.__members__ or Kind[name] not in ggml.ENCODABLE:
            choices = ", ".join(sorted(one.name for one in ggml.ENCODABLE))
            raise UsageError(
                f"There is no tensor type {one_line(kind, 40)!r}; choose one of {choices}."
            )
        return cls(_pattern(expression.lower()), Kind[name])


def first_match(name: str, overrides: Iterable[Override]) -> Kind | None:
    """The type that the first fitting exception gives a tensor; None where none fits."""
    for override in overrides:
        if override.pattern.search(name):
            return override.kind
    return None


_ONLY_PYTHON = re.compile(r"\(\?(?![:=!])|\[\[|\\[agz]|[*+?}]\+")
"""Groups with names or flags, look-behind, classes of classes, anchors and possessive repeats:
what ECMAScript, llama.cpp's dialect, lacks or reads otherwise."""


def _pattern(expression: str) -> re.Pattern[str]:
    shown = one_line(expression, 80)
    if _ONLY_PYTHON.search(expression):
        raise UsageError(
            f"The expression {shown!r} uses what llama.cpp reads differently; "
            "write it with plain groups, classes and repeats."
        )
    try:
        return re.compile(expression)
    except (re.error, OverflowError) as error:
        raise UsageError(f"The expression {shown!r} is not valid: {error}.") from error
