"""The first source that answers is read; a closed one is told before an absent one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.monitor.devices import Absent, Unavailable
from app.monitor.power import KINDS, choose, survey
from tests.app.monitor.boards import bare, pi5, tree
from tests.app.monitor.power.test_battery import LAPTOP


def test_a_pi_reads_its_power_chip(tmp_path: Path) -> None:
    kind, reader = choose(pi5(tmp_path))
    assert (kind.id, reader.via) == ("pmic", "vcgencmd")


def test_a_closed_sensor_gives_the_reason(tmp_path: Path) -> None:
    devices = bare(tmp_path)
    tree(tmp_path, {path: text.replace("Disch", "Ch") for path, text in LAPTOP.items()})
    with pytest.raises(Unavailable, match="battery is “charging”") as caught:
        choose(devices)
    assert not isinstance(caught.value, Absent)


def test_a_machine_without_sensors_says_so(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="no power sensor"):
        choose(bare(tmp_path))


def test_every_kind_is_listed_with_its_coverage_and_reason(tmp_path: Path) -> None:
    offers = survey(bare(tmp_path))
    assert [offer.kind for offer in offers] == list(KINDS)
    assert all(offer.reader is None and offer.reason and offer.absent for offer in offers)
    assert all(kind.coverage and kind.cost for kind in KINDS)
