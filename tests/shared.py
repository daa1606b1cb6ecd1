"""Where the material lies that developers and CI share, beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
"""The repository's root."""

SHARED = ROOT.parent / "shared"


def shared_path(name: str) -> Path:
    """A file or folder of ../shared; a stranger's clone skips, CI fails where it is missing."""
    path = SHARED / name
    if path.exists():
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"../shared/{name} is missing, and CI must have it.")
    pytest.skip(f"../shared/{name} is not here; it comes with the developers' material only.")
