"""The chat templates of a checkpoint, from whichever of three files holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gguf import GGUFValueType, Keys

from app.errors import BadInputError
from converter.checkpoint.folder import read_member
from converter.checkpoint.strictjson import parse_object
from converter.metadata import Field, array, text


@dataclass(frozen=True, slots=True)
class Templates:
    """A default chat template and named ones beside it, such as `tool_use`."""

    default: str | None = None
    named: tuple[tuple[str, str], ...] = ()
    """Name and template of each, in the file's order."""

    def fields(self) -> Iterator[Field]:
        """The keys they are written as, in the stock converter's order."""
        for name, template in self.named:
            yield text(Keys.Tokenizer.CHAT_TEMPLATE_N.format(name=name), template)
        if self.named:
            names = tuple(name for name, _ in self.named)
            yield array(Keys.Tokenizer.CHAT_TEMPLATES, names, GGUFValueType.STRING)
        if self.default is not None:
            yield text(Keys.Tokenizer.CHAT_TEMPLATE, self.default)


def read_templates(folder: Path, config: Mapping[str, object]) -> Templates:
    """The templates of tokenizer_config.json, else chat_template.jinja, else chat_template.json.

    Raises:
        BadInputError: a template is neither a text nor a list of named texts.
    """
    found = config.get("chat_template")
    if found is None:
        found = _from_own_file(folder)
    if found is None or isinstance(found, str):
        return Templates(found)
    if isinstance(found, list):
        return _from_list(found)
    raise _unreadable()


def _from_own_file(folder: Path) -> object:
    jinja = read_member(folder, "chat_template.jinja")
    if jinja is not None:
        try:
            return jinja.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _unreadable() from error
    packed = read_member(folder, "chat_template.json")
    return (
        None if packed is None else parse_object(packed, "chat_template.json").get("chat_template")
    )


def _from_list(choices: list[object]) -> Templates:
    default: str | None = None
    named: dict[str, str] = {}
    for choice in choices:
        if not isinstance(choice, dict):
            raise _unreadable()
        name, template = choice.get("name"), choice.get("template")
        if not isinstance(name, str) or not isinstance(template, str):
            raise _unreadable()
        name = re.sub(r"[^A-Za-z0-9]", "_", name)  # it becomes part of a key
        if name == "default":
            default = template
        elif name:
            named[name] = template
    return Templates(default, tuple(named.items()))


def _unreadable() -> BadInputError:
    return BadInputError(
        "The checkpoint's chat template is neither a text nor a list of named texts; "
        "correct or remove it."
    )
