"""File types and exceptions as a person names them."""

from __future__ import annotations

import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import LlamaFileType
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UsageError
from converter.quantise import FileType, Override


def test_file_types_are_the_librarys() -> None:
    for file_type in FileType:
        prefix = "ALL_" if file_type is FileType.F32 else "MOSTLY_"
        assert LlamaFileType[prefix + file_type.name].value == file_type.ftype


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Q4_K_M", FileType.Q4_K_M), (" q4_k ", FileType.Q4_K_M), ("q3_k", FileType.Q3_K_M),
     ("Q5_K", FileType.Q5_K_M), ("bf16", FileType.BF16), ("Q6_K", FileType.Q6_K),
     ("Q2_K", FileType.Q2_K), ("iq3", FileType.IQ3_M), ("iq2_xxs", FileType.IQ2_XXS)],
)  # fmt: skip
def test_file_types_are_named_in_any_case(text: str, meant: FileType) -> None:
    assert FileType.parse(text) is meant


@pytest.mark.parametrize("text", ["", "Q4", "Q9_K", "Q4_K_M_M", "_M", "IQ9_XXS"])
def test_an_unknown_file_type_is_answered_with_the_choices(text: str) -> None:
    with pytest.raises(UsageError, match=r"F32, F16, BF16, Q8_0, Q2_K, .*, IQ4_XS, IQ4_NL\.$"):
        FileType.parse(text)


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("ffn_down=q6_k", "blk.3.ffn_down.weight", Kind.Q6_K),
        (r"blk\.(0|7)\.=Q8_0", "blk.7.attn_q.weight", Kind.Q8_0),
        ("^OUTPUT=F16", "output.weight", Kind.F16),
        ("a=b=Q4_0", "a=b", Kind.Q4_0),
        (r"ffn_(?!down)\w+=IQ4_XS", "blk.0.ffn_up.weight", Kind.IQ4_XS),
    ],
)
def test_an_exception_is_an_expression_and_a_type(text: str, name: str, kind: Kind) -> None:
    override = Override.parse(text)
    assert override.kind is kind
    assert override.pattern.search(name)
    assert not override.pattern.search("blk.3.attn_k.bias")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ffn_down", "of the form REGEX=TYPE"),
        ("=Q6_K", "of the form REGEX=TYPE"),
        ("ffn_down=", "no tensor type ''"),
        ("ffn_down=Q9_K", "no tensor type 'Q9_K'; choose one of BF16, F16, "),
        ("ffn_down=Q8_K", "no tensor type 'Q8_K'"),
        ("ffn_(down=Q6_K", "is not valid: missing"),
        ("(?i)ffn=Q6_K", "reads differently"),
        ("(?<=blk)ffn=Q6_K", "reads differently"),
        ("(?P<x>ffn)=Q6_K", "reads differently"),
        ("[[:digit:]]=Q6_K", "reads differently"),
        (r"ffn\Z=Q6_K", "reads differently"),
        ("f++n=Q6_K", "reads differently"),
    ],
)
def test_an_exception_that_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        Override.parse(text)
    assert sentence in str(raised.value)


@given(st.text(max_size=40))
def test_no_text_makes_an_exception_fail_otherwise(text: str) -> None:
    for candidate in (text, f"{text}=Q6_K"):
        try:
            Override.parse(candidate)
        except UsageError as error:
            assert str(error).endswith((".", ".."))
