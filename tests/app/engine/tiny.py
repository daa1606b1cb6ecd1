"""Small random Llamas with a real SentencePiece vocabulary, for the engine to run.

Written with gguf-py, not with the converter: a fault there must not hide one here.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sentencepiece
from gguf import GGMLQuantizationType, GGUFWriter

CHATML = (
    "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] "
    "+ '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
BOS, EOS, IM_START, IM_END = 1, 2, 3, 4
_BLOCK = 32
_TEXT = (
    "The doctor's nurse asked: how many tablets did you take, 2 or 20, and when?",
    "I've taken 125 mg of it at 09:30; we'll see in 2026 whether it's helped.",
    "Symptoms of glaucoma include blurred vision, eye pain and headaches.",
    "Drink water, rest, and call the surgery when the fever does not go down in three days.",
    "Café, naïve, Ärztin, señor, Ελληνικά, русский, the then these those there their they're",
)


@dataclass(frozen=True)
class Tiny:
    """A model to write."""

    layers: int = 2
    width: int = 64
    neurons: int = 128
    heads: int = 4
    context: int = 512
    template: str | None = CHATML
    space_prefix: bool = False
    seed: int = 1
    vocabulary: int = 400
    name: str = "tiny"
    chatml: bool = True
    """Whether the vocabulary has the tokens that end and begin a turn."""
    without: str = ""
    """A tensor to leave out."""

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every tensor, rows first."""
        yield "token_embd.weight", (self.vocabulary, self.width)
        yield "output_norm.weight", (self.width,)
        yield "output.weight", (self.vocabulary, self.width)
        for layer in range(self.layers):
            for part, shape in (
                ("attn_norm", (self.width,)),
                ("attn_q", (self.width, self.width)),
                ("attn_k", (self.width // 2, self.width)),
                ("attn_v", (self.width // 2, self.width)),
                ("attn_output", (self.width, self.width)),
                ("ffn_norm", (self.width,)),
                ("ffn_gate", (self.neurons, self.width)),
                ("ffn_up", (self.neurons, self.width)),
                ("ffn_down", (self.width, self.neurons)),
            ):
                yield f"blk.{layer}.{part}.weight", shape


def write(path: Path, model: Tiny) -> Path:
    """Write the model's file: matrices in Q8_0, norms in F32."""
    writer = GGUFWriter(path, "llama")
    writer.add_name(model.name)
    writer.add_context_length(model.context)
    writer.add_embedding_length(model.width)
    writer.add_block_count(model.layers)
    writer.add_feed_forward_length(model.neurons)
    writer.add_head_count(model.heads)
    writer.add_head_count_kv(model.heads // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    _write_vocabulary(writer, model)
    numbers = np.random.default_rng(model.seed)
    for name, shape in model.shapes():
        if name == model.without:
            continue
        if len(shape) == 1:
            writer.add_tensor(name, np.ones(shape, np.float32))
        else:
            raw = _q8_0(numbers, shape)
            writer.add_tensor(name, raw, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _q8_0(numbers: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Random blocks of a scale and 32 whole numbers; the weights have a deviation near 0.1."""
    rows, length = shape
    blocks = rows * length // _BLOCK
    scale = np.full((blocks, 1), 0.1 / 74, "<f2").view(np.uint8)
    values = numbers.integers(-127, 128, (blocks, _BLOCK), np.int8).view(np.uint8)
    return np.hstack([scale, values]).reshape(rows, -1)


def _write_vocabulary(writer: GGUFWriter, model: Tiny) -> None:
    pieces = vocabulary(model.vocabulary, model.chatml)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([text for text, _, _ in pieces])
    writer.add_token_scores([score for _, score, _ in pieces])
    writer.add_token_types([kind for _, _, kind in pieces])
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(IM_END if model.chatml else EOS)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(model.space_prefix)
    if model.template is not None:
        writer.add_chat_template(model.template)


@functools.cache
def vocabulary(size: int, chatml: bool) -> list[tuple[str, float, int]]:
    """Text, score and GGUF type of each piece; `<|im_start|>` and `<|im_end|>` are control."""
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(_TEXT * 3),
        model_writer=stream,
        vocab_size=size,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        user_defined_symbols=["<|im_start|>", "<|im_end|>"] if chatml else [],
        minloglevel=2,
        num_threads=1,
        hard_vocab_limit=False,
    )
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(stream.getvalue())
    control = (IM_START, IM_END) if chatml else ()
    found = [_piece(processor, number, control) for number in range(processor.vocab_size())]
    unused = [(f"[PAD{number}]", -10000.0, 5) for number in range(len(found), size)]
    return found + unused


def _piece(
    processor: sentencepiece.SentencePieceProcessor, number: int, control: tuple[int, ...]
) -> tuple[str, float, int]:
    kind = 1
    if processor.IsUnknown(number):
        kind = 2
    elif processor.IsControl(number) or number in control:
        kind = 3
    elif processor.IsByte(number):
        kind = 6
    return processor.IdToPiece(number), processor.GetScore(number), kind
