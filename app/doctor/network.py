"""Whether this machine can be reached by others, and whether the engine could reach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.doctor.check import Check, attention, not_checked, ok
from app.doctor.offers import offer

_LISTENS = "0A"
_UNCONNECTED = "07"
_COLUMNS = 4
_LOOPBACK6 = "00000000000000000000000001000000"
_MAPPED = "0000000000000000FFFF0000"
"""Stands before an address of version 4 in a socket of version 6."""
_NAMES = {
    22: "ssh",
    53: "name service",
    68: "address from the router (DHCP)",
    111: "rpcbind",
    139: "Samba",
    445: "Samba",
    546: "address from the router (DHCP)",
    631: "printing (cups)",
    2049: "NFS",
    5353: "avahi",
    5900: "VNC",
}

TABLES = ("tcp", "tcp6", "udp", "udp6")
"""Of /proc/net."""

ATTEMPT = """
import socket
from app.engine.isolation import give_up_network, give_up_privileges
give_up_privileges()
print(give_up_network(namespace=True))
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))
    print("open")
except OSError as error:
    print(error.strerror)
"""
"""Gives up the network as the engine does, then tries; connecting a datagram socket sends none.
The address is one that is kept for examples (RFC 5737)."""


def listeners(tables: Mapping[str, str | None]) -> Check:
    """What waits for other machines.

    Args:
        tables: texts of /proc/net's tables by name; None where one could not be read.
    """
    texts = {name: text for name, text in tables.items() if text is not None}
    if not texts:
        return not_checked("listeners", "/proc/net could not be read.")
    found = sorted({(port, name[:3]) for name, text in texts.items() for port in _ports(text)})
    if not found:
        return ok("listeners", "Nothing on this machine waits for other machines.")
    named = ", ".join(
        f"{_NAMES.get(port, 'an unknown service')} ({kind.upper()} {port})" for port, kind in found
    )
    return attention(
        "listeners",
        f"Other machines can reach: {named}.",
        f"{offer('listeners')}; `apply ssh` in its place ends the login over the network.",
    )


def walls(said: Sequence[str], problem: str = "") -> Check:
    """Whether a process that gave up the network as the engine does has none.

    Args:
        said: the lines that `ATTEMPT` printed.
        problem: why there are none, as a sentence.
    """
    if len(said) < 2:
        return not_checked("engine's walls", problem or "The attempt said nothing.")
    held_by, outcome = said[0], said[-1]
    if outcome == "open":
        return attention(
            "engine's walls",
            f"The engine could reach other machines; what holds it is {held_by}.",
            "Start it by its service, which has no network, or use a kernel with seccomp.",
        )
    return ok(
        "engine's walls", f"The engine reaches no other machine: {held_by} ({outcome.lower()})."
    )


@dataclass(frozen=True, slots=True)
class Radio:
    """One of /sys/class/rfkill."""

    kind: str
    """`wlan`, `bluetooth`, …"""
    blocked: bool


def radios(found: Sequence[Radio] | None) -> Check:
    """Whether a radio is on.

    Args:
        found: those that the kernel knows; None where it was not built to tell.
    """
    if found is None:
        return not_checked("radios", "This kernel does not tell of radios (no rfkill).")
    open_ones = sorted({radio.kind for radio in found if not radio.blocked})
    if open_ones:
        return attention("radios", f"Radios are on: {', '.join(open_ones)}.", f"{offer('radios')}.")
    return ok("radios", "Every radio is off." if found else "There is no radio.")


def _ports(table: str) -> Iterator[int]:
    """Ports that wait on an address which is not this machine's own alone."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < _COLUMNS or ":" not in fields[1]:
            continue
        address, port = fields[1].split(":", 1)
        waits = fields[3] == _LISTENS or (
            fields[3] == _UNCONNECTED and set(fields[2]) <= {"0", ":"}
        )
        if waits and not _own(address):
            yield int(port, 16)


def _own(address: str) -> bool:
    """Whether an address, in the kernel's byte order, is in 127.0.0.0/8 or is ::1."""
    version4 = address.removeprefix(_MAPPED)
    return address == _LOOPBACK6 or (len(version4) == 8 and version4.endswith("7F"))
