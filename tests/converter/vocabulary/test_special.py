"""Special tokens: whose word counts, and what is added to a text."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import BadInputError
from converter.vocabulary.special import SpecialTokens, read_special


def _template(single: str, pair: str) -> dict[str, Any]:
    """A TemplateProcessing in the short notation of the tokenizers package: `<s> $A $B`."""

    def pieces(text: str) -> list[dict[str, Any]]:
        return [
            {"Sequence": {"id": part[1:], "type_id": 0}}
            if part.startswith("$")
            else {"SpecialToken": {"id": part, "type_id": 0}}
            for part in text.split()
        ]

    return {"type": "TemplateProcessing", "single": pieces(single), "pair": pieces(pair)}


def _tokenizer(*processors: dict[str, Any]) -> dict[str, Any]:
    return {
        "post_processor": {"type": "Sequence", "processors": list(processors)},
        "added_tokens": [
            {"id": 10, "content": "<bos>", "special": True},
            {"id": 11, "content": "<eos>", "special": True},
            {"id": 12, "content": "<turn>", "special": True},
            {"id": 13, "content": "<eos>", "special": True},
        ],
    }


_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True}


def test_llama_3_adds_a_bos_and_no_eos() -> None:
    """The layout of Llama-3.1-8B-Instruct: config.json names several ends of a text at once."""
    special = read_special(
        _tokenizer(_BYTE_LEVEL, _template("<bos> $A", "<bos> $A <bos> $B")),
        {"bos_token": "<bos>", "eos_token": "<turn>"},
        {"bos_token_id": 10, "eos_token_id": [11, 12]},
        20,
    )
    assert special == SpecialTokens(
        {"bos": 10, "eos": 12}, {"bos": True, "eos": False, "sep": False}
    )
    assert list(special.added) == ["bos", "eos", "sep"]


def test_without_a_tokenizer_json_the_ids_are_those_of_config_json() -> None:
    special = read_special(
        {},
        {"bos_token": "<bos>", "add_bos_token": True, "add_eos_token": False},
        {"bos_token_id": 1, "eos_token_id": 4, "pad_token_id": None},
        20,
    )
    assert special == SpecialTokens({"bos": 1, "eos": 4}, {"bos": True, "eos": False})


def test_without_a_tokenizer_config_the_ids_are_those_of_config_json() -> None:
    special = read_special(_tokenizer(_template("<bos> $A", "")), {}, {"eos_token_id": 4}, 20)
    assert special == SpecialTokens({"eos": 4}, {"bos": True})


def test_the_tokenizer_goes_before_config_json_and_the_post_processor_before_both() -> None:
    special = read_special(
        _tokenizer(_template("<bos> $A <eos>", "<bos> $A $B <eos>")),
        {
            "bos_token": {"content": "<bos>", "lstrip": False},
            "eos_token": "<turn>",
            "pad_token": "<unheard of>",
            "add_eos_token": False,
            "add_sep_token": True,
        },
        {"bos_token_id": 5, "eos_token_id": 6, "pad_token_id": 7, "eot_token_id": 8},
        20,
    )
    assert special.ids == {"bos": 10, "eos": 11, "eot": 12, "pad": 7}
    assert special.added == {"bos": True, "eos": True, "sep": True}


def test_a_class_token_stands_in_for_a_missing_bos() -> None:
    config = {"cls_token": "<bos>", "sep_token": "<eos>"}
    special = read_special(
        _tokenizer(_template("<bos> $A <eos>", "<bos> $A <eos> $B <eos>")), config, {}, 20
    )
    assert special.ids == {"bos": 10, "eos": 11, "sep": 11, "cls": 10}
    assert special.added == {"bos": True, "eos": True, "sep": False}


def test_a_separator_between_two_texts_is_added() -> None:
    special = read_special(
        _tokenizer(_template("<bos> $A", "<bos> $A <eos> $B")), {"eos_token": "<eos>"}, {}, 20
    )
    assert special.added["sep"] is True
    assert special.ids["sep"] == special.ids["eos"] == 11


def test_the_text_part_of_a_larger_model_is_looked_into() -> None:
    special = read_special({}, {}, {"text_config": {"eos_token_id": 3}, "bos_token_id": 2}, 20)
    assert special.ids == {"bos": 2, "eos": 3}


def test_a_truth_value_is_no_id() -> None:
    assert read_special({}, {}, {"eos_token_id": True}, 20).ids == {}


@pytest.mark.parametrize("number", [-1, 20, 2**33])
def test_ids_outside_the_vocabulary_are_refused(number: int) -> None:
    with pytest.raises(BadInputError, match=f"token {number} as its eos token"):
        read_special({}, {}, {"eos_token_id": number}, 20)


@pytest.mark.parametrize(
    "post",
    [
        {"type": "RobertaProcessing"},
        {"type": "Sequence", "processors": [_BYTE_LEVEL, {}]},
        {"type": "Sequence", "processors": [7]},
        {"type": "Sequence", "processors": {}},
        {"type": "TemplateProcessing", "single": 7, "pair": []},
        [],
    ],
)
def test_post_processors_that_are_not_understood_are_refused(post: Any) -> None:
    with pytest.raises(BadInputError, match=r"tokenizer\.json"):
        read_special({"post_processor": post}, {}, {}, 20)


@pytest.mark.parametrize("piece", [None, 7, {}, {"SpecialToken": 7}, {"SpecialToken": {"id": 7}}])
def test_pieces_without_a_name_add_nothing(piece: Any) -> None:
    template = {"type": "TemplateProcessing", "single": [piece, piece], "pair": [piece] * 4}
    assert read_special({"post_processor": template}, {}, {}, 20) == SpecialTokens({}, {})
