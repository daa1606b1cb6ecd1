"""Listeners, walls and radios, from tables with addresses of our own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app.cli.surroundings import run_python
from app.doctor import network
from app.doctor.network import Radio
from app.engine.isolation import NO_WALL
from app.engine.seccomp import socket_filter

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
HEAD6 = "  sl  local_address                         remote_address                        st\n"
LOOPBACK6 = "00000000000000000000000001000000"


def row(local: str, state: str = "0A", remote: str = "00000000:0000") -> str:
    """A line of /proc/net/tcp."""
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0\n"


@pytest.mark.parametrize(
    ("tables", "state", "words"),
    [
        ({"tcp": HEAD}, "ok", "Nothing"),
        ({"tcp": HEAD + row("0100007F:0277")}, "ok", "Nothing"),
        ({"tcp": HEAD + row("0100007F:0277") + row("00000000:0016")}, "attention", "ssh (TCP 22)"),
        ({"tcp": HEAD + row("0501A8C0:0277")}, "attention", "printing (cups) (TCP 631)"),
        ({"tcp": HEAD + row("00000000:0016", state="01")}, "ok", "Nothing"),
        ({"tcp6": HEAD6 + row(f"{LOOPBACK6}:0277")}, "ok", "Nothing"),
        ({"tcp6": HEAD6 + row("0000000000000000FFFF00000100007F:0277")}, "ok", "Nothing"),
        ({"tcp6": HEAD6 + row(f"{'0' * 32}:1F90")}, "attention", "an unknown service (TCP 8080)"),
        ({"tcp6": HEAD6 + row(f"{'1' * 30}7F:0016")}, "attention", "ssh"),
        ({"udp": HEAD + row("00000000:14E9", state="07")}, "attention", "avahi (UDP 5353)"),
        ({"udp": HEAD + row("0501A8C0:A001", "07", "0101A8C0:0035")}, "ok", "Nothing"),
        ({"tcp": HEAD + "torn"}, "ok", "Nothing"),
        ({"tcp": None, "tcp6": None}, "not checked", "/proc/net"),
        ({}, "not checked", "/proc/net"),
    ],
)
def test_listeners(tables: dict[str, str | None], state: str, words: str) -> None:
    check = network.listeners(tables)
    assert check.state == state and words in check.found
    assert state != "attention" or "offers.sh apply listeners" in check.advice


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no Linux")
def test_a_socket_of_this_machine_is_found_and_gone_again() -> None:
    with socket.socket() as one:
        one.bind(("", 0))
        one.listen()
        port = one.getsockname()[1]
        found = network.listeners({"tcp": Path("/proc/net/tcp").read_text()}).found
        assert f"(TCP {port})" in found
    assert (
        f"(TCP {port})" not in network.listeners({"tcp": Path("/proc/net/tcp").read_text()}).found
    )


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        (["an empty network namespace", "Network is unreachable"], "ok", "unreachable"),
        (["a filter on system calls", "Permission denied"], "ok", "a filter on system calls"),
        ([NO_WALL, "open"], "attention", "neither a namespace nor a filter"),
        ([], "not checked", "It was killed."),
    ],
)
def test_walls(said: list[str], state: str, words: str) -> None:
    check = network.walls(said, "It was killed.")
    assert check.state == state and words in check.found


@pytest.mark.skipif(socket_filter() is None, reason="no filter is known for this machine")
def test_the_attempt_runs_against_the_engines_own_walls() -> None:
    said = run_python(network.ATTEMPT, "The attempt")
    assert "filter" in said[0] and said[-1] == os.strerror(13)
    assert network.walls(said).state == "ok"


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (None, "not checked", "rfkill"),
        ([], "ok", "no radio"),
        ([Radio("wlan", True), Radio("bluetooth", True)], "ok", "Every radio"),
        ([Radio("wlan", True), Radio("bluetooth", False)], "attention", "on: bluetooth."),
    ],
)
def test_radios(found: list[Radio] | None, state: str, words: str) -> None:
    check = network.radios(found)
    assert check.state == state and words in check.found
