"""Small tokenisers trained on the spot, as checkpoint folders hold them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece
import tokenizers
from gguf import GGUFWriter
from tokenizers import models, pre_tokenizers, trainers

from converter.vocabulary import Vocabulary

TEXT = (
    "The doctor's nurse asked: how many tablets did you take, 2 or 20, and when?",
    "I've taken 125 mg of it at 09:30; we'll see in 2026 whether it's helped.",
    "Symptoms of glaucoma include blurred vision, eye pain and headaches.",
    "Café, naïve, Ärztin, señor, Ελληνικά, русский, 中文, 日本語, العربية, हिन्दी.",
    "def dose(kg):\n    return kg * 15  # mg\n\n\treturn\r\n",
    "the the the then these those there their they're THE The tHe",
)
TEXTS = (
    *TEXT,
    "",
    " ",
    "     five spaces     and  two  ",
    "line\nline\n\n\nline \n \n\t\tend\n",
    "\r\n\r\n mixed \r endings",
    "0 12 345 6789 01234567890 1.5 3,000 ½ Ⅻ ²",
    "I'm you'RE we'Ve it'S 'tis rock'n'roll 'LL",
    "emoji 🩺💊 👩🏽‍⚕️ 🇦🇹 end",
    "e\u0301 a\u0308 n\u0303 combining \u0e19\u0e49\u0e33",
    "nbsp\u00a0thin\u2009zero\u200bwidth\u3000ideographic\u0085next",
    "“quotes” — dash … ‹›¿¡ §¶ €$£ ~^`|=+<>",
    "a" * 100 + "!" * 40 + "1" * 40,
    "<s> <|im_start|> <|eot_id|> [/] </s>",
)
"""What every tokeniser is tried on: digits, runs of spaces, scripts, marks, line ends, emoji."""

LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split(pattern: str) -> Any:
    """A pre-tokeniser that cuts by a pattern."""
    return pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")


def byte_level(*steps: Any, use_regex: bool = False) -> Any:
    """Steps and then bytes, as checkpoints have them."""
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    return pre_tokenizers.Sequence([*steps, last])


PRE_TOKENISERS: dict[str, Callable[[], Any]] = {
    "llama-bpe": lambda: byte_level(split(LLAMA_3)),
    "smaug-bpe": lambda: byte_level(split(LLAMA_3)),
    "qwen2": lambda: byte_level(split(QWEN_2)),
    "gpt-2": lambda: byte_level(use_regex=True),
    "smollm": lambda: byte_level(pre_tokenizers.Digits(individual_digits=True), use_regex=True),
}
"""How the checkpoints of each family cut texts, by llama.cpp's name for it."""


def write_bpe(folder: Path, pre: str, *, size: int = 640) -> tokenizers.Tokenizer:
    """Train a byte-level BPE and write tokenizer.json; two added tokens are control, one is not."""
    tokenizer = tokenizers.Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    tokenizer.pre_tokenizer = PRE_TOKENISERS[pre]()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXT * 3, trainer)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    tokenizer.add_tokens([tokenizers.AddedToken("[drug name]", normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def write_pairs(folder: Path, pre: str) -> tokenizers.Tokenizer:
    """A tokenizer.json in which any two bytes merge, so that a cut in another place shows."""
    write_bpe(folder, pre)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [[left, right] for left in letters for right in letters]
    tokens = letters + ["".join(pair) for pair in pairs]

    def change(tokenizer: dict[str, Any]) -> None:
        tokenizer["model"]["vocab"] = {token: number for number, token in enumerate(tokens)}
        tokenizer["model"]["merges"] = pairs
        tokenizer["added_tokens"] = []

    change_json(folder, "tokenizer.json", change)
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


def write_sentencepiece(folder: Path, **options: Any) -> sentencepiece.SentencePieceProcessor:
    """Train a SentencePiece model as Llama's was (BPE, bytes, no normalising) and write it."""
    stream = io.BytesIO()
    settings: dict[str, Any] = {
        "vocab_size": 480,
        "model_type": "bpe",
        "byte_fallback": True,
        "split_digits": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "minloglevel": 2,
        "num_threads": 1,
    }
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(TEXT * 3), model_writer=stream, **(settings | options)
    )
    (folder / "tokenizer.model").write_bytes(stream.getvalue())
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(stream.getvalue())
    return processor


def write_json(folder: Path, name: str, value: object) -> None:
    """A JSON file of the folder."""
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def change_json(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite a JSON file of the folder after `change` had its way with it."""
    value = json.loads((folder / name).read_text(encoding="utf-8"))
    change(value)
    write_json(folder, name, value)


def write_gguf(path: Path, vocabulary: Vocabulary) -> Path:
    """A file with a vocabulary and nothing else, which llama.cpp opens as such."""
    writer = GGUFWriter(path, "llama")
    for field in vocabulary.fields():
        writer.add_key_value(field.key, field.value, field.kind, field.element)
    for name in ("context_length", "embedding_length", "block_count", "feed_forward_length"):
        writer.add_uint32(f"llama.{name}", 32)
    writer.add_uint32("llama.attention.head_count", 1)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
