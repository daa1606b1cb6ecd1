"""A small reference with its own cards, so that no test hangs on what a shipped card says."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.knowledge.reference import Reference

CARD = """+++
id = "{id}"
title = "{title}"
also = {also}
written = 2026-11-20
reviewed_by = "none"

[[sources]]
title = "Test source"
url = "https://example.org/{id}"
+++

## What it is

{what}

## What you can do

{do}

## Get help now if

- you faint

## See someone soon if

- it lasts
"""

CARDS = {
    "gout": ("Gout", ["crystal arthritis"], "Crystals of uric acid in a joint, often the big toe.",
             "Rest the joint, cool it, and drink water."),
    "glaucoma": ("Glaucoma", ["tunnel vision"], "Pressure harms the nerve of the eye.",
                 "Use the drops each day."),
    "urinary-infection": ("Urinary infection", ["cystitis"],
                          "Germs in the bladder make urination burn.", "Drink enough water."),
    "psoriasis": ("Psoriasis", ["scaly skin"], "Skin grows too fast and scales.",
                  "Keep the skin moist with ointment."),
}  # fmt: skip


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """A folder of four cards."""
    folder = tmp_path / "cards"
    folder.mkdir()
    for id, (title, also, what, do) in CARDS.items():
        names = "[" + ", ".join(f'"{name}"' for name in also) + "]"
        (folder / f"{id}.md").write_text(
            CARD.format(id=id, title=title, also=names, what=what, do=do)
        )
    return folder


@pytest.fixture
def told() -> list[str]:
    """The sentences that the reference tells."""
    return []


@pytest.fixture
def reference(tmp_path: Path, cards: Path, told: list[str]) -> Reference:
    """The reference over those cards, with nothing added."""
    return Reference(tmp_path / "data", cards=cards, tell=told.append)
