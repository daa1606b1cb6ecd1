"""What Prometheus is told: the log's values, nothing old, nothing unknown, no word."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ResourceError, UsageError
from app.monitor.exporter import (
    _WARNINGS,
    Collector,
    counters,
    gauges,
    is_loopback,
    parse_address,
    serve,
)
from app.monitor.follow import Follower, State
from app.monitor.runlog import End, encode
from tests.app.monitor.report.runs import HEADER, log, sample, turn
from tests.shared import ROOT

prometheus_client = pytest.importorskip("prometheus_client")


def _write(folder: Path, *lines: bytes, name: str = HEADER.id) -> Path:
    path = folder / f"{name}-001.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_the_log_is_followed_as_it_grows_and_a_torn_line_waits(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    assert follower.look() is None
    path = _write(tmp_path, encode(HEADER), encode(sample(1.0, 3.0)), encode(turn(0.0))[:-5])
    state = follower.look()
    assert state is not None and state.sample is not None
    assert (state.sample.power_w, state.answers) == (3.0, 0)
    with path.open("ab") as file:
        file.write(encode(turn(0.0))[-5:] + encode(sample(2.0, 4.0)))
    state = follower.look()
    assert state is not None and state.sample is not None
    assert (state.sample.power_w, state.answers, state.generated) == (4.0, 1, 64)
    assert state.energy_j == 58.0


def test_a_next_part_goes_on_and_another_run_begins_anew(tmp_path: Path) -> None:
    first = _write(tmp_path, encode(HEADER), encode(turn(0.0)))
    follower = Follower(tmp_path)
    follower.look()
    os.utime(first, (1, 1))
    second = tmp_path / f"{HEADER.id}-002.jsonl"
    second.write_bytes(encode(replace(HEADER, part=2)) + encode(turn(20.0)))
    state = follower.look()
    assert state is not None and state.answers == 2
    os.utime(second, (2, 2))
    other = replace(HEADER, id="20270101T000000Z-ffffff")
    _write(tmp_path, encode(other), name=other.id)
    state = follower.look()
    assert state is not None and (state.answers, state.header.id) == (0, other.id)


def test_a_file_that_vanishes_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, encode(HEADER), encode(turn(0.0)))
    follower = Follower(tmp_path)
    (tmp_path / "gone-001.jsonl").symlink_to("nowhere")
    for _ in range(2):
        state = follower.look()
        assert state is not None and (state.answers, state.generated) == (1, 64)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", _vanished)
        assert follower.look() is None
    state = follower.look()
    assert state is not None and (state.answers, state.generated) == (1, 64)


def _vanished(*_: object) -> None:
    raise FileNotFoundError(2, "No such file or directory")


def test_what_is_old_or_unknown_is_left_out() -> None:
    recorded = log(3.0, None)
    fresh = State(HEADER, recorded.samples[0])
    names = {name for name, _, value in gauges(fresh) if value is not None}
    assert {"power_watts", "under_voltage", "log_age_seconds"} <= names
    assert "gpu_ratio" not in names
    assert "power_watts" not in dict(_values(State(HEADER, recorded.samples[1])))
    for old in (replace(fresh, age_s=60.0), replace(fresh, ended=True)):
        assert set(dict(_values(old))) == {"log_age_seconds"}


def test_energy_that_is_not_known_is_no_zero(tmp_path: Path) -> None:
    _write(tmp_path, encode(HEADER), encode(turn(0.0, None)))
    state = Follower(tmp_path).look()
    assert state is not None and (state.answers, state.energy_j) == (1, None)
    names = {metric.name for metric in Collector(Follower(tmp_path)).collect()}
    assert "bedside_answers" in names and "bedside_energy_joules" not in names


def _values(state: State) -> list[tuple[str, float]]:
    return [(name, value) for name, _, value in gauges(state) if value is not None]


def test_prometheus_gets_them_over_loopback(tmp_path: Path) -> None:
    _write(tmp_path, encode(HEADER), encode(sample(1.0, 3.25)), encode(turn(0.0)))
    registry = prometheus_client.CollectorRegistry(auto_describe=False)
    registry.register(Collector(Follower(tmp_path)))
    text = prometheus_client.generate_latest(registry).decode()
    assert "bedside_power_watts 3.25" in text
    assert "bedside_generated_tokens_total 64.0" in text
    assert "bedside_joules_per_token 0.75" in text
    assert 'power_source="pmic"' in text


def test_the_server_answers_and_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    _write(tmp_path, encode(HEADER), encode(sample(1.0, 3.25)), encode(End(2.0, "left")))
    server = serve(Follower(tmp_path), "127.0.0.1", 0)
    port = server.server_port
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        assert "bedside_run_info" in text and "bedside_power_watts" not in text
        with pytest.raises(ResourceError, match="cannot be taken"):
            serve(Follower(tmp_path), "127.0.0.1", port)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        (":9000", ("127.0.0.1", 9000)),
        ("9000", ("127.0.0.1", 9000)),
        ("[::1]:9464", ("::1", 9464)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert is_loopback(address[0]) == (address[0] != "0.0.0.0")


@pytest.mark.parametrize("text", ["", "host:80", "127.0.0.1:", "127.0.0.1:0", "1.2.3.4:70000"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


def test_the_dashboard_asks_for_nothing_that_is_not_told() -> None:
    text = (ROOT / "deploy/grafana/bedside.json").read_text()
    full = State(HEADER, replace(sample(1.0), gpu_load=0.5, gpu_mhz=600.0), turn(0.0))
    told = {name for name, _ in _values(full)} | {f"{name}_total" for name, _, _ in counters(full)}
    assert len(told) >= 18 and set(_WARNINGS) <= told
    asked = set(re.findall(r"bedside_([a-z_]+)[{)\[,]", text))
    assert asked - {"run_info"} <= told
    assert {"power_watts", "joules_per_token", "generated_tokens_total"} <= asked
    assert json.loads(text)["panels"]
