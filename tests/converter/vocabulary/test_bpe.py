"""Byte-level BPE: llama.cpp gives the ids that the `tokenizers` package gives."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from gguf import TokenType
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers

from app.errors import BadInputError
from converter.vocabulary import read_vocabulary
from tests import llama
from tests.converter.vocabulary.folders import (
    PRE_TOKENISERS,
    TEXTS,
    change_json,
    write_bpe,
    write_gguf,
    write_json,
    write_pairs,
)

Pair = tuple[llama.Model, tokenizers.Tokenizer]


@pytest.fixture(scope="module", params=PRE_TOKENISERS)
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A trained vocabulary of each family, in llama.cpp and in `tokenizers`."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = write_bpe(folder, request.param)
    vocabulary = read_vocabulary(folder, tokenizer.get_vocab_size() + 3)
    assert vocabulary.pre == request.param
    with llama.load_vocabulary(write_gguf(folder / "v.gguf", vocabulary)) as model:
        yield model, tokenizer


@pytest.fixture(scope="module", params=PRE_TOKENISERS)
def cutting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A vocabulary of each family in which any two bytes merge."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = write_pairs(folder, request.param)
    vocabulary = read_vocabulary(folder, tokenizer.get_vocab_size())
    with llama.load_vocabulary(write_gguf(folder / "v.gguf", vocabulary)) as model:
        yield model, tokenizer


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_tokenizers(trained: Pair, text: str) -> None:
    model, tokenizer = trained
    assert model.tokenize(text, special=True) == tokenizer.encode(text).ids


def test_control_tokens_in_a_text_count_only_when_asked(trained: Pair) -> None:
    model, tokenizer = trained
    text = "<|begin_of_text|>a [drug name]<|eot_id|>\n"
    assert model.tokenize(text, special=True) == tokenizer.encode(text).ids
    ids = model.tokenize(text)
    assert tokenizer.token_to_id("<|eot_id|>") not in ids
    assert tokenizer.token_to_id("[drug name]") in ids


_CHARACTERS = st.characters(exclude_categories=["Cs", "Cn", "Co"], max_codepoint=0x1FFFF)


@settings(deadline=None)
@given(st.text(_CHARACTERS | st.sampled_from(" \n\r\t'09aAsStT.é中\u0301\u200d"), max_size=40))
def test_any_text_is_cut_in_the_same_places(cutting: Pair, text: str) -> None:
    model, tokenizer = cutting
    assert model.tokenize(text) == tokenizer.encode(text).ids


def test_every_letter_mark_and_space_is_cut_in_the_same_places(cutting: Pair) -> None:
    model, tokenizer = cutting
    for first in range(0, 0x3400, 16):
        block = [chr(code) for code in range(first, first + 16)]
        known = [one for one in block if unicodedata.category(one) not in ("Cn", "Co")]
        text = "".join(f"a{one}1 {one}b.{one}{one} " for one in known)
        assert model.tokenize(text) == tokenizer.encode(text).ids, hex(first)


def test_composed_texts_have_the_same_ids_where_the_tokeniser_composes(tmp_path: Path) -> None:
    tokenizer = write_bpe(tmp_path, "qwen2")
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    vocabulary = read_vocabulary(tmp_path, tokenizer.get_vocab_size())
    assert len(vocabulary.notes) == 1
    with llama.load_vocabulary(write_gguf(tmp_path / "v.gguf", vocabulary)) as model:
        for text in TEXTS:
            composed = unicodedata.normalize("NFC", text)
            assert model.tokenize(composed, special=True) == tokenizer.encode(text).ids


@pytest.mark.parametrize("pre", ["llama-bpe", "smaug-bpe"])
def test_a_word_no_merge_leads_to_is_whole_in_one_family_and_in_pieces_in_the_other(
    tmp_path: Path, pre: str
) -> None:
    write_bpe(tmp_path, pre)

    def orphan(content: dict[str, Any]) -> None:
        content["model"]["merges"] = [
            pair for pair in content["model"]["merges"] if "".join(pair) != "Ġthe"
        ]

    change_json(tmp_path, "tokenizer.json", orphan)
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    vocabulary = read_vocabulary(tmp_path, tokenizer.get_vocab_size())
    text = " the"
    ids = tokenizer.encode(text).ids
    assert (ids == [tokenizer.token_to_id("Ġthe")]) == (pre == "llama-bpe")
    with llama.load_vocabulary(write_gguf(tmp_path / "v.gguf", vocabulary)) as model:
        assert model.tokenize(text) == ids


def test_tokens_are_typed_and_filled_up(tmp_path: Path) -> None:
    tokenizer = write_bpe(tmp_path, "llama-bpe")
    size = tokenizer.get_vocab_size()
    table = read_vocabulary(tmp_path, size + 2).table
    assert [table.tokens[i] for i in range(size - 3, size + 2)] == [
        "<|begin_of_text|>", "<|eot_id|>", "[drug name]", f"[PAD{size}]", f"[PAD{size + 1}]",
    ]  # fmt: skip
    assert table.types[size - 4 :] == (
        TokenType.NORMAL,
        TokenType.CONTROL,
        TokenType.CONTROL,
        TokenType.USER_DEFINED,
        TokenType.UNUSED,
        TokenType.UNUSED,
    )


def test_keys_are_the_stock_converters(tmp_path: Path) -> None:
    """The layout of Llama 3: the post-processor adds a BOS, several tokens end a text."""
    size = write_bpe(tmp_path, "llama-bpe").get_vocab_size()
    begin: dict[str, Any] = {"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    template = {
        "type": "TemplateProcessing",
        "single": [begin, first],
        "pair": [begin, first, begin, second],
    }
    processors = [{"type": "ByteLevel"}, template]
    change_json(
        tmp_path,
        "tokenizer.json",
        _set("post_processor", value={"type": "Sequence", "processors": processors}),
    )
    config = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "chat_template": "{{x}}"}
    write_json(tmp_path, "tokenizer_config.json", config)
    write_json(tmp_path, "config.json", {"eos_token_id": [size - 2, 5], "bos_token_id": 5})
    fields = {field.key: field.value for field in read_vocabulary(tmp_path, size).fields()}
    assert list(fields)[:5] == [
        "tokenizer.ggml.model",
        "tokenizer.ggml.pre",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.merges",
    ]
    assert list(fields.items())[5:] == [
        ("tokenizer.ggml.bos_token_id", size - 3),
        ("tokenizer.ggml.eos_token_id", size - 2),
        ("tokenizer.ggml.add_bos_token", True),
        ("tokenizer.ggml.add_eos_token", False),
        ("tokenizer.ggml.add_sep_token", False),
        ("tokenizer.chat_template", "{{x}}"),
    ]


def test_vocabularies_of_one_size_never_get_a_bos(tmp_path: Path) -> None:
    """The stock converter's rule for Granite, which SmolLM falls under too."""
    write_bpe(tmp_path, "smollm")
    write_json(tmp_path, "tokenizer_config.json", {"add_bos_token": True})
    added = {
        rows: {field.key: field.value for field in read_vocabulary(tmp_path, rows).fields()}
        for rows in (49151, 49152)
    }
    assert added[49151]["tokenizer.ggml.add_bos_token"] is True
    assert added[49152]["tokenizer.ggml.add_bos_token"] is False


def test_both_forms_of_merges_read_the_same(tmp_path: Path) -> None:
    rows = write_bpe(tmp_path, "gpt-2").get_vocab_size()
    pairs = read_vocabulary(tmp_path, rows).table.merges

    def join(content: dict[str, Any]) -> None:
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]

    change_json(tmp_path, "tokenizer.json", join)
    assert read_vocabulary(tmp_path, rows).table.merges == pairs


def test_tokens_only_the_configuration_has_are_added(tmp_path: Path) -> None:
    rows = write_bpe(tmp_path, "gpt-2").get_vocab_size() + 2
    write_json(
        tmp_path,
        "tokenizer_config.json",
        {"added_tokens_decoder": {str(rows - 2): {"content": "<|extra|>", "special": False}}},
    )
    table = read_vocabulary(tmp_path, rows).table
    assert table.tokens[-2:] == ("<|extra|>", f"[PAD{rows - 1}]")
    assert table.types[-2] is TokenType.CONTROL


def _set(*path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


def _foreign_merge(content: dict[str, Any]) -> None:
    content["model"]["merges"].append(["never", "seen"])


def _two_texts_one_id(content: dict[str, Any]) -> None:
    content["model"]["vocab"]["another"] = 7


def _usurp(content: dict[str, Any]) -> None:
    content["added_tokens"].append({"id": 5, "content": "<|new|>", "special": True})


def _half_character(content: dict[str, Any]) -> None:
    content["added_tokens"][0]["content"] = "\ud800"


def _same_up_to_nul(content: dict[str, Any]) -> None:
    content["added_tokens"][0]["content"] = "same\0one"
    content["added_tokens"][1]["content"] = "same\0two"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set("model", "type", value="Unigram"), "byte-pair"),
        (_set("model", value=[]), "byte-pair"),
        (_set("model", "byte_fallback", value=True), "tokenizer.model"),
        (_set("model", "end_of_word_suffix", value="</w>"), "parts of words"),
        (_set("model", "ignore_merges", value=True), "does not know"),
        (_set("model", "vocab", value={}), "no tokens"),
        (_set("model", "vocab", "a", value=-1), "-1"),
        (_set("model", "vocab", "a", value=2**40), "rows"),
        (_set("model", "vocab", "a", value="7"), "whole number"),
        (_set("model", "vocab", "a", value=[]), "whole number"),
        (_set("model", "merges", value=[]), "no merges"),
        (_set("model", "merges", value=["one"]), "not a pair"),
        (_set("model", "merges", value=[[1, 2]]), "pair of texts"),
        (_foreign_merge, "contradicts"),
        (_two_texts_one_id, "one id"),
        (_usurp, "contradicts"),
        (_half_character, "UTF-16"),
        (_same_up_to_nul, "twice"),
        (_set("added_tokens", value={"a": 1}), "added tokens"),
        (_set("added_tokens", value=[7]), "whole number"),
        (_set("pre_tokenizer", value=None), "does not know"),
        (_set("pre_tokenizer", value={"type": "Whitespace"}), "does not know"),
        (_set("pre_tokenizer", value=[1]), "does not know"),
        (_set("pre_tokenizer", value={"type": "ByteLevel", "add_prefix_space": True}), "not know"),
        (_set("normalizer", value={"type": "Lowercase"}), "does not know"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_words(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    rows = write_bpe(tmp_path, "gpt-2").get_vocab_size()
    change_json(tmp_path, "tokenizer.json", change)
    with pytest.raises(BadInputError, match=says):
        read_vocabulary(tmp_path, rows)


def test_more_tokens_than_rows_are_refused(tmp_path: Path) -> None:
    rows = write_bpe(tmp_path, "gpt-2").get_vocab_size()
    with pytest.raises(BadInputError, match=f"{rows - 1} rows"):
        read_vocabulary(tmp_path, rows - 1)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no tokenizer"):
        read_vocabulary(tmp_path, 10)
