"""The Raspberry Pi's own warnings: too little voltage, too much heat.

Bits as documented by Raspberry Pi (`vcgencmd get_throttled`): 0 to 3 for now, 16 to 19 for the same
since boot. The sticky bits matter, since a dip of a millisecond is seen by nothing else.
"""

from __future__ import annotations

import re

from app.monitor.devices import Unavailable

_REPLY = re.compile(r"^throttled=0x([0-9a-fA-F]{1,8})$")
_WORDS = (
    (0, "under-voltage", "the supply's voltage is too low"),
    (1, "capped", "the clock is capped"),
    (2, "throttled", "the processor is throttled"),
    (3, "soft limit", "the soft temperature limit is reached"),
)
_SINCE_BOOT = 16
KNOWN_BITS = 0x000F000F
UNDER_VOLTAGE = 0x00010001
"""Under-voltage, now or since boot."""


def parse(reply: str) -> int:
    """The bits in the reply to `get_throttled`. Raises Unavailable where it is something else."""
    found = _REPLY.match(reply.strip())
    if found is None:
        raise Unavailable("the firmware's answer about throttling is not understood")
    return int(found.group(1), 16)


def name(bit: int) -> str:
    """The short name of one of the bits 0 to 3."""
    return _WORDS[bit][1]


def now(bits: int) -> tuple[str, ...]:
    """What holds at this moment, in words."""
    return tuple(sentence for bit, _, sentence in _WORDS if bits >> bit & 1)


def since_boot(bits: int) -> tuple[str, ...]:
    """Short names of what has happened since the board was started."""
    return tuple(name for bit, name, _ in _WORDS if bits >> (bit + _SINCE_BOOT) & 1)


def summary(bits: int) -> str:
    """One line: what holds now, else what has happened, else that nothing has."""
    if now(bits):
        return "; ".join(now(bits))
    if since_boot(bits):
        return f"no, but since boot: {', '.join(since_boot(bits))}"
    return "no"
