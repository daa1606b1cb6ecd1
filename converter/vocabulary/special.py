"""Which tokens begin and end a text, and whether they are added to it.

Follows `SpecialVocab` of the gguf package inside llama.cpp, so that the keys are those the stock
converter writes. It takes the names of special tokens from tokenizer_config.json and their ids from
tokenizer.json, then fills up from config.json; what tokenizer.json's post-processor adds goes
before what tokenizer_config.json says of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line

_NAMES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids by role ("bos", "eos", …) and which roles are added to a text, in the files' order."""

    ids: Mapping[str, int]
    added: Mapping[str, bool]


def read_special(
    tokenizer: Mapping[str, Any], config: Mapping[str, Any], model: Mapping[str, Any], rows: int
) -> SpecialTokens:
    """The special tokens that tokenizer.json, tokenizer_config.json and config.json agree on.

    Args:
        tokenizer: tokenizer.json, empty where there is none.
        config: tokenizer_config.json, empty where there is none.
        model: config.json.
        rows: rows of the embedding matrix; an id must be below.

    Raises:
        BadInputError: an id outside the vocabulary, or a post-processor that is not understood.
    """
    roles = _Roles({name: _content(config.get(f"{name}_token")) for name in _NAMES})
    if tokenizer:
        roles.stand_in("bos", "cls")
        roles.stand_in("eos", "sep")
        for processor in _processors(tokenizer.get("post_processor")):
            _follow(processor, roles)
    ids: dict[str, int] = {}
    if config:
        numbers = _added_ids(tokenizer.get("added_tokens"))
        _set_ids(
            ids, ((name, numbers.get(token or "")) for name, token in roles.tokens.items()), rows
        )
        for name in roles.tokens:
            wanted = config.get(f"add_{name}_token")
            if isinstance(wanted, bool):
                roles.added.setdefault(name, wanted)
    names = roles.tokens if config else _NAMES
    _set_ids(ids, ((name, _model_id(model, name)) for name in names), rows)
    return SpecialTokens(ids, roles.added)


@dataclass(slots=True)
class _Roles:
    """The token of each role by its text, and what is added, while the files are read."""

    tokens: dict[str, str | None]
    added: dict[str, bool] = field(default_factory=dict)

    def stand_in(self, role: str, other: str) -> None:
        """Let the other role's token serve where this role has none."""
        self.tokens[role] = self.tokens[role] or self.tokens[other]


def _content(token: object) -> str | None:
    """The text of a special token, which stands bare or as a dictionary."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None


def _processors(post: Any) -> list[dict[str, Any]]:
    if post is None:
        return []
    inner = post.get("processors", [post]) if isinstance(post, dict) else None
    if not isinstance(inner, list) or not all(isinstance(one, dict) for one in inner):
        raise _misread("post_processor")
    return inner


def _follow(processor: Mapping[str, Any], roles: _Roles) -> None:
    match processor.get("type"):
        case "ByteLevel":
            roles.added.setdefault("bos", False)
            roles.added.setdefault("eos", False)
        case "TemplateProcessing":
            single, pair = processor.get("single") or [], processor.get("pair") or []
            if not isinstance(single, list) or not isinstance(pair, list):
                raise _misread("post_processor")
            first, last = _follow_single(single, roles)
            _follow_pair(pair, first, last, roles)
        case other:
            raise BadInputError(
                f"tokenizer.json adds special tokens by {one_line(str(other), 40)}, which Bedside "
                "does not know; a file made from it might begin or end texts wrongly."
            )


def _follow_single(single: list[Any], roles: _Roles) -> tuple[str | None, str | None]:
    """The special tokens before and after a text, if any; they become BOS and EOS."""
    if len(single) < 2:
        return None, None
    first, last = _special(single[0]), _special(single[-1])
    if first:
        if first not in (roles.tokens["bos"], roles.tokens["cls"]):
            roles.tokens["bos"] = roles.tokens["bos"] or first
            roles.tokens["cls"] = roles.tokens["cls"] or first
        roles.added["bos"] = first in (roles.tokens["bos"], roles.tokens["cls"])
    if last:
        if last != roles.tokens["eos"]:
            roles.tokens["eot"], roles.tokens["eos"] = roles.tokens["eos"], last
        roles.added["eos"] = True
    return first, last


def _follow_pair(pair: list[Any], first: str | None, last: str | None, roles: _Roles) -> None:
    """Whether a separator stands between two texts: `[first] A [sep] [eos] B [last]`."""
    if pair and first and _special(pair[0]) == first:
        pair = pair[1:]
    if pair and last and _special(pair[-1]) == last:
        pair = pair[:-1]
    if len(pair) < 3 or (_sequence(pair[0]), _sequence(pair[-1])) != ("A", "B"):
        return
    between = [_special(piece) for piece in pair[1:-1]]
    separators = {roles.tokens["sep"], roles.tokens["eos"]} - {None}
    adds = between[0] in separators and not last
    adds = adds or (len(between) == 2 and between[1] in separators)
    roles.added["sep"] = adds
    if adds and not roles.tokens["sep"]:
        roles.tokens["sep"] = roles.tokens["eos"]


def _special(piece: Any) -> str | None:
    return _part(piece, "SpecialToken")


def _sequence(piece: Any) -> str | None:
    return _part(piece, "Sequence")


def _part(piece: Any, kind: str) -> str | None:
    """The id inside a template's piece such as {"Sequence": {"id": "A", "type_id": 0}}."""
    inner = piece.get(kind) if isinstance(piece, dict) else None
    found = inner.get("id") if isinstance(inner, dict) else None
    return found if isinstance(found, str) else None


def _added_ids(added: Any) -> dict[str, Any]:
    """Id by text of the tokens that tokenizer.json lists; the first of a text counts."""
    ids: dict[str, Any] = {}
    for entry in added if isinstance(added, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("content"), str):
            ids.setdefault(entry["content"], entry.get("id"))
    return ids


def _model_id(model: Mapping[str, Any], name: str) -> Any:
    """An id of config.json, or of its text part where the model is a larger one's."""
    found, nested = model.get(f"{name}_token_id"), model.get("text_config")
    if found is None and isinstance(nested, dict):
        found = nested.get(f"{name}_token_id")
    return found


def _set_ids(ids: dict[str, int], found: Iterable[tuple[str, Any]], rows: int) -> None:
    """Keep the first id of each role; several at once (a list) say nothing about which is meant."""
    for name, number in found:
        if not isinstance(number, int) or isinstance(number, bool):
            continue
        if not 0 <= number < rows:
            raise BadInputError(
                f"The checkpoint names token {number} as its {name} token, but its vocabulary has "
                f"{rows} tokens; correct {name}_token_id in config.json or set it to null."
            )
        ids.setdefault(name, number)


def _misread(part: str) -> BadInputError:
    return BadInputError(
        f"The {part} of tokenizer.json is not built as it should be; "
        "the file is damaged, so fetch it again."
    )
