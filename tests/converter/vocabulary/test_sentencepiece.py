"""SentencePiece: llama.cpp gives the ids that the sentencepiece package gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from gguf import TokenType
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInputError
from converter.vocabulary import read_vocabulary
from converter.vocabulary.modelproto import read_settings
from converter.vocabulary.sentencepiece import read_sentencepiece
from tests import llama
from tests.converter.vocabulary.folders import TEXTS, write_gguf, write_json, write_sentencepiece
from tests.shared import shared_path

Pair = tuple[llama.Model, sentencepiece.SentencePieceProcessor]


@pytest.fixture(scope="module", params=[True, False], ids=["prefix", "no prefix"])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A trained model that gives texts a space in front, and one that does not."""
    folder = tmp_path_factory.mktemp("sentencepiece")
    processor = write_sentencepiece(folder, add_dummy_prefix=request.param)
    vocabulary = read_vocabulary(folder, processor.vocab_size() + 8)
    with llama.load_vocabulary(write_gguf(folder / "v.gguf", vocabulary)) as model:
        yield model, processor


@pytest.fixture(scope="module")
def medquad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The vocabulary of the model in the house."""
    folder = shared_path("models/medquad-29m")
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromFile(str(folder / "tokenizer.model"))
    out = tmp_path_factory.mktemp("medquad") / "v.gguf"
    with llama.load_vocabulary(write_gguf(out, read_vocabulary(folder, 8192))) as model:
        yield model, processor


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_those_of_sentencepiece(trained: Pair, text: str) -> None:
    model, processor = trained
    assert model.tokenize(text) == processor.EncodeAsIds(text)


_TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n\t09aeiot.é中"), max_size=60
).filter(lambda text: "\0" not in text)


@settings(deadline=None)
@given(_TEXT)
def test_any_text_has_the_ids_of_sentencepiece(trained: Pair, text: str) -> None:
    model, processor = trained
    assert model.tokenize(text) == processor.EncodeAsIds(text)


@settings(deadline=None)
@given(_TEXT)
def test_any_text_has_the_ids_of_the_model_in_the_house(medquad: Pair, text: str) -> None:
    model, processor = medquad
    assert model.tokenize(text) == processor.EncodeAsIds(text)


def test_a_conversation_of_the_model_in_the_house(medquad: Pair) -> None:
    model, processor = medquad
    text = "<|im_start|>user\nWhat is  glaucoma?<|im_end|>\n<|im_start|>assistant\n"
    assert model.tokenize(text, special=True) == processor.EncodeAsIds(text)
    assert model.tokenize(text, special=True, edges=True)[:2] == [1, 3]
    assert not {1, 3, 4} & set(model.tokenize(text))


def test_keys_are_the_stock_converters(tmp_path: Path) -> None:
    """The layout of medquad-29m: no tokenizer.json, so that config.json alone knows the ids."""
    rows = write_sentencepiece(tmp_path, user_defined_symbols=["<|im_end|>"]).vocab_size() + 2
    write_json(tmp_path, "config.json", {"bos_token_id": 1, "eos_token_id": 3})
    write_json(
        tmp_path,
        "tokenizer_config.json",
        {
            "bos_token": "<s>",
            "eos_token": "<|im_end|>",
            "add_bos_token": True,
            "add_eos_token": False,
            "add_prefix_space": False,
            "chat_template": "{{ messages }}",
            "added_tokens_decoder": {
                "3": {"content": "<|im_end|>", "special": True},
                str(rows - 2): {"content": "▁dose▁", "special": False},
            },
        },
    )
    fields = {field.key: field.value for field in read_vocabulary(tmp_path, rows).fields()}
    assert list(fields) == [
        "tokenizer.ggml.add_space_prefix",
        "tokenizer.ggml.model",
        "tokenizer.ggml.pre",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.scores",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.add_bos_token",
        "tokenizer.ggml.add_eos_token",
        "tokenizer.chat_template",
    ]
    tokens: Any = fields["tokenizer.ggml.tokens"]
    scores: Any = fields["tokenizer.ggml.scores"]
    types: Any = fields["tokenizer.ggml.token_type"]
    assert tokens[:5] == ("<unk>", "<s>", "</s>", "<|im_end|>", "<0x00>")
    assert types[:5] == (2, 3, 3, 3, 6)
    assert (tokens[-2], scores[-2], types[-2]) == (" dose ", -1000.0, 4)
    assert (tokens[-1], scores[-1], types[-1]) == (f"[PAD{rows - 1}]", -10000.0, 5)
    assert (scores[3], scores[4]) == (-1000.0, 0.0)
    assert fields["tokenizer.ggml.model"] == "llama"
    assert fields["tokenizer.ggml.add_space_prefix"] is False


def test_tokens_of_the_added_tokens_file_stand_for_their_text(tmp_path: Path) -> None:
    rows = write_sentencepiece(tmp_path).vocab_size() + 1
    write_json(tmp_path, "added_tokens.json", {"<|im_end|>": rows - 1})
    table = read_vocabulary(tmp_path, rows).table
    assert (table.tokens[-1], table.types[-1]) == ("<|im_end|>", TokenType.USER_DEFINED)
    assert table.scores[-1] == -1000.0


def test_settings_are_read_from_the_model(tmp_path: Path) -> None:
    write_sentencepiece(
        tmp_path, add_dummy_prefix=False, normalization_rule_name="nmt_nfkc", vocab_size=420
    )
    settings = read_settings((tmp_path / "tokenizer.model").read_bytes())
    assert (settings.algorithm, settings.dummy_prefix, settings.normalises) == ("BPE", False, True)
    vocabulary = read_vocabulary(tmp_path, 420)
    assert vocabulary.table.space_prefix is False
    assert "normalises" in vocabulary.notes[0]


@pytest.mark.parametrize("kind", ["unigram", "char", "word"])
def test_other_kinds_are_refused(tmp_path: Path, kind: str) -> None:
    options = {} if kind == "unigram" else {"byte_fallback": False, "vocab_size": 90}
    write_sentencepiece(tmp_path, model_type=kind, hard_vocab_limit=False, **options)
    with pytest.raises(BadInputError, match="BPE"):
        read_vocabulary(tmp_path, 1000)


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -40])
def test_a_truncated_model_is_refused(tmp_path: Path, keep: int) -> None:
    write_sentencepiece(tmp_path)
    whole = (tmp_path / "tokenizer.model").read_bytes()
    (tmp_path / "tokenizer.model").write_bytes(whole[:keep])
    with pytest.raises(BadInputError, match=r"tokenizer\.model"):
        read_vocabulary(tmp_path, 1000)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound model's bytes."""
    folder = tmp_path_factory.mktemp("sound")
    write_sentencepiece(folder)
    return (folder / "tokenizer.model").read_bytes()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_model_is_read_or_refused(sound: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(sound)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    try:
        table = read_sentencepiece(bytes(damaged), {}, {}, 600)
    except BadInputError as error:
        assert str(error).endswith(".")
    else:
        assert len(table.tokens) == 600


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_settings_of_anything_are_read_or_refused(data: bytes) -> None:
    try:
        read_settings(data)
    except BadInputError as error:
        assert "damaged" in str(error)


def test_a_piece_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write_sentencepiece(tmp_path)
    model = (tmp_path / "tokenizer.model").read_bytes()
    assert b"tor" in model
    (tmp_path / "tokenizer.model").write_bytes(model.replace(b"tor", b"t\xffr"))
    with pytest.raises(BadInputError, match="no valid text"):
        read_vocabulary(tmp_path, 1000)


def test_more_pieces_than_rows_are_refused(tmp_path: Path) -> None:
    rows = write_sentencepiece(tmp_path).vocab_size()
    with pytest.raises(BadInputError, match=f"{rows - 1} rows"):
        read_vocabulary(tmp_path, rows - 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("added_tokens.json", {"[PAD]": 480}, "token 480"),
        ("added_tokens.json", {"[PAD]": "7"}, "whole number"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"480": {"content": "x"}}}, "token 480"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"-1": {"content": "x"}}}, "whole"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"9": "x"}}, "without a text"),
        ("tokenizer_config.json", {"added_tokens_decoder": [1]}, "added_tokens_decoder"),
        ("tokenizer_config.json", {"added_tokens_decoder": {"9": {"content": "<s>"}}}, "twice"),
        ("config.json", {"eos_token_id": 480}, "token 480"),
        ("config.json", {"pad_token_id": -1}, "token -1"),
    ],
)
def test_files_beside_it_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, content: dict[str, object], says: str
) -> None:
    assert write_sentencepiece(tmp_path).vocab_size() == 480
    write_json(tmp_path, name, content)
    with pytest.raises(BadInputError, match=says):
        read_vocabulary(tmp_path, 480)
