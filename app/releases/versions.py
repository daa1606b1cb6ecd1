"""Versions of Bedside, and which of two is the newer."""

from __future__ import annotations

import re

_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:(a|b|rc)(\d{1,6}))?")
_FINAL = "z"
"""Sorts behind a, b and rc: 1.0.0rc1 comes before 1.0.0."""

Order = tuple[int, int, int, str, int]


def is_version(text: str) -> bool:
    """Whether it is `1.2.3`, or `1.2.3rc4` before it: also a safe name for a folder."""
    return text.isascii() and _VERSION.fullmatch(text) is not None


def order(version: str) -> Order:
    """A key that sorts versions from old to new, as PEP 440 does for these forms.

    Raises:
        ValueError: it is no version.
    """
    found = _VERSION.fullmatch(version) if version.isascii() else None
    if found is None:
        raise ValueError(f"{version!r} is no version of Bedside")
    major, minor, patch, stage, number = found.groups()
    return int(major), int(minor), int(patch), stage or _FINAL, int(number or 0)
