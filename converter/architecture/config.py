"""Numbers of a config.json, each checked as it is taken: the file is a stranger's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line

_MOST = 2**31 - 1
"""llama.cpp counts in signed 32-bit numbers."""


def count(config: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """A whole number from 1 on; `default` stands for a key that is absent or null.

    Raises:
        BadInputError: It is missing without a default, or no such number.
    """
    value = config.get(key)
    if value is None:
        value = default
    if type(value) is not int or not 1 <= value <= _MOST:
        raise _unusable(key, value, "a whole number above zero")
    return value


def number(config: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """A finite number above zero; `default` stands for a key that is absent or null.

    Raises:
        BadInputError: It is missing without a default, or no such number.
    """
    value = config.get(key)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _unusable(key, value, "a number above zero")
    if not 0 < value < 3e38 or not math.isfinite(value):
        raise _unusable(key, value, "a number above zero")
    return float(value)


def switch(config: Mapping[str, Any], key: str) -> bool:
    """A boolean; absent or null is false.

    Raises:
        BadInputError: It is anything else.
    """
    value = config.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _unusable(key, value, "true or false")
    return value


def table(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object; absent or null is empty.

    Raises:
        BadInputError: It is anything else.
    """
    value = config.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unusable(key, value, "a table")
    return value


def _unusable(key: str, value: object, wanted: str) -> BadInputError:
    if value is None:
        return BadInputError(f"config.json does not give {key}, which must be {wanted}.")
    shown = one_line(repr(value), 40)
    return BadInputError(f"config.json gives {key} as {shown}, but it must be {wanted}.")
