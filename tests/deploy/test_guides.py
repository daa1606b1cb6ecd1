"""The guides against what is there: offers, settings and scores that they name."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.test_units import ORIN, PI, RESCUE, score
from tests.shared import ROOT

OFFERS = (ROOT / "deploy/privacy/offers.sh").read_text()
GUIDES = [ROOT / "deploy/pi5/GUIDE.md", ROOT / "deploy/jetson/GUIDE.md"]
PER_GUIDE = pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.parent.name)


def taken(guide: Path) -> set[str]:
    """The offers that a guide takes."""
    text = guide.read_text()
    loops = re.findall(r"for offer in (.+); do", text)
    return {name for loop in loops for name in loop.split()} | set(
        re.findall(r"offers\.sh apply ([a-z-]+)", text)
    )


@PER_GUIDE
def test_every_offer_is_taken_and_its_changes_are_listed(guide: Path) -> None:
    known = set(re.findall(r"^([a-z-]+)\t", OFFERS, re.MULTILINE))
    elsewhere = {"screen"} if guide.parent.name == "pi5" else {"boot-line"}
    assert taken(guide) | {"font"} == known - elsewhere
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", guide.read_text(), re.MULTILINE))
    assert rows >= known - elsewhere


@PER_GUIDE
def test_every_file_that_an_offer_writes_is_in_the_list(guide: Path) -> None:
    written = set(re.findall(r"\| write (/[^\s\"]+)", OFFERS))
    written -= {"/boot/firmware/config.txt", "/boot/firmware/cmdline.txt"}
    if guide.parent.name == "jetson":
        written -= {"/etc/rpi/swap.conf.d/90-bedside.conf"}
    text = guide.read_text()
    assert [path for path in sorted(written) if path not in text] == []


@pytest.mark.parametrize("text", [*GUIDES, ROOT / "README.md"], ids=lambda path: path.parent.name)
def test_every_bundle_is_signed_with_a_key_that_stays(text: Path) -> None:
    """Without KEY= it is a throw-away one of build/, and the boards refuse updates without it."""
    commands = re.findall(r"make bundle BOARD=.*", text.read_text())
    made = re.findall(r"ssh-keygen -t ed25519 -f ~/(\S+)", text.read_text())
    assert commands and len(made) == 1
    assert [line for line in commands if f" KEY=$HOME/{made[0]}" not in line] == []


@PER_GUIDE
def test_every_step_says_how_long_and_that_it_is_estimated(guide: Path) -> None:
    text = guide.read_text()
    steps = [line for line in text.splitlines() if re.match(r"## [1-9]\. ", line)]
    assert len(steps) >= 7
    untimed = [line for line in steps if "estimated" not in line]
    assert all("first answer" in line for line in untimed)
    assert "nothing here was measured on a board" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize(("unit", "words"), [(PI, "kiosk"), (ORIN, "kiosk"), (RESCUE, "rescue")])
def test_the_scores_are_those_of_this_systemd(unit: Path, words: str) -> None:
    version = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True)
    if not version.stdout.startswith("systemd 252"):
        pytest.skip("another version counts otherwise")
    guides = GUIDES if unit == RESCUE else [unit.parent / "GUIDE.md"]
    for guide in guides:
        assert re.search(rf"the\s{words} {score(unit)}\b", guide.read_text())
