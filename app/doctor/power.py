"""Whether the power can be read, and whether the board has enough of it."""

from __future__ import annotations

from collections.abc import Sequence

from app.doctor.check import Check, attention, not_checked, ok
from app.monitor import throttling
from app.monitor.power import Offer

_OPEN_IT = {
    "pmic": "Add the user to the group `video` and log in again.",
    "rapl": "Start `sudo bedside monitor` to see it; the chat needs no power readings.",
}


def source(offers: Sequence[Offer]) -> Check:
    """Which power source is read. A sensor that is there but closed needs attention."""
    readable = next((offer for offer in offers if offer.reader is not None), None)
    if readable is not None:
        kind = readable.kind
        return ok("power", f"Power is read from: {kind.title}. It covers {kind.coverage}.")
    closed = next((offer for offer in offers if not offer.absent), None)
    if closed is None:
        return not_checked("power", "No power sensor was found on this machine.")
    return attention(
        "power",
        f"{closed.kind.title} cannot be read: {closed.reason}.",
        _OPEN_IT.get(closed.kind.id, "`bedside monitor --sources` lists every source."),
    )


def voltage(bits: int | None, reason: str) -> Check:
    """Whether a Raspberry Pi's voltage has dropped or its clock was cut.

    Args:
        bits: of `get_throttled`; None where they could not be read.
        reason: then why.
    """
    if bits is None:
        return not_checked("voltage and heat", f"It was not read: {reason}.")
    if bits & throttling.UNDER_VOLTAGE:
        return attention(
            "voltage and heat",
            "The supply's voltage is or was too low since the board was started.",
            "Use the official 27 W supply and its own cable; then restart the board.",
        )
    if bits & throttling.KNOWN_BITS:
        return attention(
            "voltage and heat",
            f"The board was slowed down for heat: {throttling.summary(bits)}.",
            "Give it a fan or a heat sink.",
        )
    return ok("voltage and heat", "No low voltage and no throttling since the board was started.")
