"""JSON from a folder that somebody else filled: read strictly, refused in a sentence."""

from __future__ import annotations

import json
from typing import Any

from app.errors import BadInputError


class _DuplicateKeyError(ValueError):
    """A key stood twice in one object, so readers may disagree about what the file says."""


def parse_object(data: bytes, where: str) -> dict[str, Any]:
    """The one JSON object in `data`.

    Stricter than Python's own reader: UTF-8 alone, no key twice, no NaN or Infinity.

    Raises:
        BadInputError: It is anything else; `where` names the file in the sentence.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except _DuplicateKeyError as error:
        raise BadInputError(f"{where} names {error} twice; it is damaged or forged.") from error
    except (ValueError, RecursionError) as error:
        raise BadInputError(
            f"{where} is not valid JSON, so it is damaged or no such file at all; fetch it again."
        ) from error
    if not isinstance(value, dict):
        raise BadInputError(f"{where} holds no JSON object, so it is not what its name says.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(repr(key)[:80])
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
