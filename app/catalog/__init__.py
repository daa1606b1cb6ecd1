"""Which models there are: the shipped list, and what the user has added to it."""

from __future__ import annotations

from app.catalog.catalog import Catalog, Chosen
from app.catalog.entry import Entry

__all__ = ["Catalog", "Chosen", "Entry"]
