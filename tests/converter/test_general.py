"""What a file says of its model, taken from a card and configs that strangers wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadInputError
from converter.architecture import describe
from converter.checkpoint import open_checkpoint
from converter.general import general_fields
from tests.converter.checkpoints import Recipe, build

TINY = Recipe(layers=1, width=64, neurons=64, heads=2, kv_heads=1, head_dim=32)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Keys and values for a folder of a name, with a card and changed configs."""

    def fields(
        name: str = "Some-Model-2B-Instruct",
        card: str | None = None,
        generation: dict[str, Any] | None = None,
        **config: Any,
    ) -> dict[str, Any]:
        folder = build(tmp_path / name, TINY)
        if card is not None:
            (folder / "README.md").write_text(card)
        if generation is not None:
            (folder / "generation_config.json").write_text(json.dumps(generation))
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
        checkpoint = open_checkpoint(folder)
        found = general_fields(checkpoint, describe(checkpoint))
        return {field.key.removeprefix("general."): field.value for field in found}

    return fields


def test_the_folders_name_is_the_last_resort(told: Callable[..., dict[str, Any]]) -> None:
    found = told()
    assert found["architecture"] == "llama"
    assert found["type"] == "model"
    assert found["name"] == "Some Model 2B Instruct"
    assert found["basename"] == "Some-Model"


def test_no_path_gets_into_a_file(told: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    found = told(_name_or_path="../secret/checkpoint-12")
    assert "secret" not in str(found)
    assert str(tmp_path) not in str(found)
    assert found["name"] == "Some Model 2B Instruct"


def test_the_published_name_goes_before_the_folders(
    told: Callable[..., dict[str, Any]],
) -> None:
    found = told(_name_or_path="good-people/Fine-Model-3B")
    assert (found["name"], found["organization"]) == ("Fine Model 3B", "Good People")


def test_a_card_is_taken_at_its_word(told: Callable[..., dict[str, Any]]) -> None:
    found = told(
        card="---\nlicense: mit\nlanguage:\n- en\n- no\ntags:\n- medical\n"
        "base_model: a-b/c-7B\n---\nname: not this\n"
    )
    assert found["license"] == "mit"
    assert found["languages"] == ["en", "no"]
    assert found["tags"] == ["medical"]
    assert found["base_model.0.repo_url"] == "https://huggingface.co/a-b/c-7B"


@pytest.mark.parametrize(
    "card",
    [
        "",
        "no front matter",
        "---",
        "---\n---\n",
        "---\n- a\n- list\n---\n",
        "---\nlicense: 3\nname: {a: b}\ntags: [1, 2]\nbase_model: [[x]]\nauthor: true\n---\n",
        "---\ndate: 2026-01-01\nversion: .nan\n1: x\n---\n",
        "---\n" + "name: x\n" * 20_000 + "---\n",
    ],
    ids=lambda card: repr(card)[:30],
)
def test_a_card_that_says_nothing_of_use_is_passed_over(
    card: str, told: Callable[..., dict[str, Any]]
) -> None:
    assert told(card=card)["name"] == "Some Model 2B Instruct"


@pytest.mark.parametrize(
    "key",
    ["author", "basename", "description", "license_link", "license_name", "model_creator",
     "model_name", "name", "organization", "repo_url", "size_label", "url", "version"],
)  # fmt: skip
def test_a_list_where_one_text_belongs_is_passed_over(
    key: str, told: Callable[..., dict[str, Any]]
) -> None:
    found = told(card=f"---\n{key}: [first-one, second-one]\nlicense: mit\n---\n")
    assert found["name"] == "Some Model 2B Instruct"
    assert found["license"] == "mit"
    assert "first-one" not in str(found)


def test_lists_where_they_may_stand(told: Callable[..., dict[str, Any]]) -> None:
    found = told(
        card="---\nlicense: [mit, isc]\nlanguage: en\ntags: [a, b]\npipeline_tag: c\n"
        "base_model: [a-b/c-7B, d-e/f-7B]\ndatasets: [g-h/i]\n---\n"
    )
    assert found["license"] == "mit,isc"
    assert (found["languages"], found["tags"]) == (["en"], ["a", "b", "c"])
    assert (found["base_model.count"], found["dataset.count"]) == (2, 1)


@pytest.mark.parametrize(
    "card", ["---\na: [\n---\n", "---\na: !!python/object:os.system x\n---\n", "---\n\x00\n---\n",
             "---\n" + "[" * 5000 + "\n---\n"],
    ids=lambda card: repr(card)[:30],
)  # fmt: skip
def test_front_matter_that_is_no_yaml(card: str, told: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(BadInputError, match=r"front matter of README\.md"):
        told(card=card)


def test_sampling_defaults(told: Callable[..., dict[str, Any]]) -> None:
    found = told(
        generation={
            "temperature": 1, "top_k": 64, "top_p": None, "repetition_penalty": 1.1,
            "do_sample": True, "eos_token_id": [1, 106],
        }
    )  # fmt: skip
    sampling = {key: found[key] for key in found if key.startswith("sampling.")}
    assert sampling == {
        "sampling.temp": 1,
        "sampling.top_k": 64,
        "sampling.penalty_repeat": 1.1,
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [("temperature", "hot"), ("temperature", True), ("top_k", 1.5), ("top_k", 2**31),
     ("top_p", [0.9]), ("top_p", 1e39), pytest.param("top_p", 10**400, id="top_p-huge"),
     ("sequence", 3)],
)  # fmt: skip
def test_sampling_defaults_that_are_no_numbers(
    key: str, value: object, told: Callable[..., dict[str, Any]]
) -> None:
    with pytest.raises(BadInputError, match=f"generation_config.json gives {key}"):
        told(generation={key: value})
