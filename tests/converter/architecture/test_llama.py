"""The Llama family: what config.json may say, and what follows from it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import BadInputError
from converter.architecture import Model, Stored, describe
from converter.architecture.rope import llama3_factors, rope_parameters
from converter.checkpoint import open_checkpoint
from tests.converter.checkpoints import Recipe, build, weights, write_weights

TINY = Recipe(layers=1, width=64, neurons=96, heads=4, kv_heads=2, head_dim=8)


def described(folder: Path, **config: Any) -> Model:
    path = folder / "config.json"
    settings = {**json.loads(path.read_text()), **config}
    path.write_text(json.dumps({key: value for key, value in settings.items() if value != "-"}))
    return describe(open_checkpoint(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build(tmp_path / "model", TINY)


def values(model: Model) -> dict[str, Any]:
    return {field.key: field.value for field in model.fields}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"architectures": ["Qwen2ForCausalLM"]}, "names Qwen2ForCausalLM.*reads LlamaForCausalLM"),
        ({"architectures": "-"}, "names no architecture"),
        ({"architectures": [7, {}]}, "the converter reads"),
        ({"architectures": "LlamaForCausalLM"}, "names no architecture"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantised already"),
        ({"hidden_act": "gelu"}, "another activation"),
        ({"hidden_size": "-"}, "does not give hidden_size"),
        ({"hidden_size": 0}, "hidden_size as 0"),
        ({"hidden_size": -64}, "hidden_size as -64"),
        ({"hidden_size": 64.0}, "hidden_size as 64.0"),
        ({"hidden_size": True}, "hidden_size as True"),
        ({"hidden_size": 2**40}, "hidden_size as"),
        ({"num_hidden_layers": 2}, r"not whole: it has no tensor model\.layers\.1\."),
        ({"num_hidden_layers": 2_000_000_000}, "not whole"),
        ({"num_attention_heads": 3}, "cannot be shared out evenly"),
        ({"head_dim": 7}, "must be even"),
        ({"head_dim": 16}, "32 x 64|64 x 64"),
        ({"intermediate_size": 128}, "is 96 x 64, but config.json calls for 128 x 64"),
        ({"vocab_size": 321}, "is 320 x 64, but config.json calls for 321 x 64"),
        ({"tie_word_embeddings": False}, r"no tensor lm_head\.weight"),
        ({"tie_word_embeddings": "yes"}, "must be true or false"),
        ({"attention_bias": True}, r"no tensor .*q_proj\.bias"),
        ({"rms_norm_eps": 0}, "rms_norm_eps"),
        ({"rms_norm_eps": "x"}, "rms_norm_eps"),
        ({"rope_theta": -1.0}, "rope_theta"),
        ({"rope_scaling": 3}, "must be a table"),
        ({"rope_scaling": {"rope_type": "longrope"}}, "longrope is not supported"),
        ({"rope_scaling": {"rope_type": ["\x1b[2J"]}}, "is not supported"),
        ({"rope_scaling": {"rope_type": "linear"}}, "does not give factor"),
        ({"rope_scaling": {"rope_type": "llama3", "high_freq_factor": 1.0}}, "high_freq_factor"),
    ],
)
def test_a_config_that_cannot_be_followed(
    config: dict[str, Any], sentence: str, folder: Path
) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        described(folder, **config)
    assert str(caught.value).isprintable()


def test_a_tensor_that_llama_has_no_use_for(folder: Path) -> None:
    tensors = {name: ("BF16", weights(name, shape)) for name, shape in TINY.shapes()}
    write_weights(folder, {**tensors, "vision.proj": ("BF16", weights("v", (2, 2)))})
    with pytest.raises(BadInputError, match=r"holds vision\.proj"):
        described(folder)


def test_buffers_of_old_checkpoints_are_left_out(folder: Path) -> None:
    tensors = {name: ("BF16", weights(name, shape)) for name, shape in TINY.shapes()}
    buffer = "model.layers.0.self_attn.rotary_emb.inv_freq"
    write_weights(folder, {**tensors, buffer: ("F32", weights("v", (4,)))})
    assert len(described(folder).weights) == len(tensors)


def test_a_tied_checkpoint_that_holds_a_head_keeps_it_as_the_stock_tools_do(folder: Path) -> None:
    tensors = {name: ("BF16", weights(name, shape)) for name, shape in TINY.shapes()}
    write_weights(folder, {**tensors, "lm_head.weight": ("BF16", weights("h", (320, 64)))})
    assert "output.weight" in {weight.name for weight in described(folder).weights}


def test_what_a_config_leaves_out_is_what_transformers_assumes(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    recipe = Recipe(layers=1, width=64, neurons=96, heads=4, kv_heads=4, head_dim=16)
    write_weights(folder, {name: ("BF16", weights(name, shape)) for name, shape in recipe.shapes()})
    absent = ("num_key_value_heads", "head_dim", "max_position_embeddings", "rms_norm_eps",
              "rope_theta")  # fmt: skip
    told = values(described(folder, **dict.fromkeys(absent, "-")))
    assert told["llama.attention.head_count_kv"] == 4
    assert told["llama.attention.key_length"] == told["llama.rope.dimension_count"] == 16
    assert told["llama.context_length"] == 2048
    assert told["llama.attention.layer_norm_rms_epsilon"] == 1e-6
    assert told["llama.rope.freq_base"] == 10000.0


@pytest.mark.parametrize("old", [True, False])
def test_rope_settings_in_their_old_and_new_form(old: bool, folder: Path) -> None:
    yarn = {"factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 32.0}
    if old:
        told = values(described(folder, rope_scaling={**yarn, "type": "yarn"}, rope_theta=5e5))
    else:
        rope = {**yarn, "rope_type": "yarn", "rope_theta": 5e5}
        told = values(described(folder, rope_parameters=rope, rope_theta="-"))
    rope_keys = {key.removeprefix("llama.rope."): told[key] for key in told if ".rope." in key}
    assert rope_keys == {
        "scaling.type": "yarn",
        "scaling.factor": 4.0,
        "scaling.original_context_length": 64,
        "scaling.yarn_beta_fast": 32.0,
        "freq_base": 5e5,
        "dimension_count": 8,
    }


def test_query_and_key_rows_pair_as_llama_cpp_rotates_them(folder: Path) -> None:
    """Row 2i + j of a head is row j * half + i of the checkpoint's, written out as a loop."""
    model = described(folder)
    for name, heads in (("blk.0.attn_q.weight", 4), ("blk.0.attn_k.weight", 2)):
        weight = next(weight for weight in model.weights if weight.name == name)
        assert isinstance(weight, Stored)
        source = weight.source.map()
        expected = np.empty_like(source)
        for head in range(heads):
            for i in range(4):
                for j in range(2):
                    expected[head * 8 + 2 * i + j] = source[head * 8 + j * 4 + i]
        assert np.array_equal(weight.rows(0, heads * 8), expected)
        assert np.array_equal(weight.rows(3, 9), expected[3:9])


@pytest.mark.parametrize(("head_dim", "factor"), [(64, 32.0), (128, 8.0)])
def test_llama3_factors_follow_the_published_formula(head_dim: int, factor: float) -> None:
    """In float64, as Llama 3.1 states it: the frequency is divided by the factor given here."""
    scaling = {"rope_type": "llama3", "factor": factor, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}  # fmt: skip
    rope = rope_parameters({"rope_scaling": scaling, "rope_theta": 500000.0})
    factors = llama3_factors(rope, head_dim)
    assert factors is not None and factors.dtype == np.float32
    assert len(factors) == head_dim // 2
    for pair, found in enumerate(factors.tolist()):
        frequency = 500000.0 ** (-2 * pair / head_dim)
        turns = 8192 * frequency / (2 * math.pi)
        share = min(1.0, max(0.0, (turns - 1.0) / 3.0))
        scaled = frequency * ((1 - share) / factor + share)
        assert found == pytest.approx(frequency / scaled, rel=1e-5)


def test_unscaled_rope_has_no_factors(recipe_folder: Callable[[str], Path]) -> None:
    names = {
        name: {weight.name for weight in describe(open_checkpoint(recipe_folder(name))).weights}
        for name in ("tied-bf16", "llama3-f16")
    }
    assert "rope_freqs.weight" not in names["tied-bf16"]
    assert "rope_freqs.weight" in names["llama3-f16"]
