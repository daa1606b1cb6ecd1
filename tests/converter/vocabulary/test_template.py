"""Chat templates: three files, one default, and named ones beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInputError
from converter.vocabulary.template import Templates, read_templates
from tests.converter.vocabulary.folders import write_json


def test_the_configuration_goes_before_a_file_of_its_own(tmp_path: Path) -> None:
    write_json(tmp_path, "chat_template.json", {"chat_template": "packed"})
    assert read_templates(tmp_path, {}) == Templates("packed")
    (tmp_path / "chat_template.jinja").write_text("plain ▁", encoding="utf-8")
    assert read_templates(tmp_path, {"chat_template": None}) == Templates("plain ▁")
    assert read_templates(tmp_path, {"chat_template": "stated"}) == Templates("stated")


def test_there_may_be_none(tmp_path: Path) -> None:
    assert list(read_templates(tmp_path, {}).fields()) == []


def test_named_ones_are_written_beside_the_default(tmp_path: Path) -> None:
    choices = [
        {"name": "default", "template": "usual"},
        {"name": "tool use", "template": "tools"},
        {"name": "rag", "template": "passages"},
    ]
    fields = list(read_templates(tmp_path, {"chat_template": choices}).fields())
    assert [(field.key, field.value) for field in fields] == [
        ("tokenizer.chat_template.tool_use", "tools"),
        ("tokenizer.chat_template.rag", "passages"),
        ("tokenizer.chat_templates", ("tool_use", "rag")),
        ("tokenizer.chat_template", "usual"),
    ]


@pytest.mark.parametrize(
    "template", [7, {}, [7], [{}], [{"name": "default"}], [{"name": 1, "template": "x"}]]
)
def test_anything_else_is_refused(tmp_path: Path, template: object) -> None:
    with pytest.raises(BadInputError, match="chat template"):
        read_templates(tmp_path, {"chat_template": template})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe{{ x }}")
    with pytest.raises(BadInputError, match="chat template"):
        read_templates(tmp_path, {})
