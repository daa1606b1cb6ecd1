"""`python -m converter`: the same as `bedside-convert`."""

from __future__ import annotations

from converter.cli import main

main()
