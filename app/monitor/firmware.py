"""Questions to the Raspberry Pi's firmware: through the mailbox device, or the `vcgencmd` command.

The mailbox needs membership of the group `video`, no process start, and about as long as the
command (23 ms), since the firmware's own measuring decides. Request and reply have the layout of
`vcgencmd` itself (github.com/raspberrypi/utils, vcgencmd.c).
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import Literal

from app.monitor.devices import Absent, Devices, Unavailable

MAILBOXES = ("dev/vcio_gencmd", "dev/vcio")
"""Newer kernels have a device of its own for these questions."""
PROPERTY_REQUEST = 0xC0086400
"""_IOWR(100, 0, char *) where a pointer has 64 bits."""
COMMAND_TAG = 0x00030080
STRING_BYTES = 1024
_HEADER = struct.Struct("=6I")

_ERROR = re.compile(r'error_msg="([^"]{1,100})"')


@dataclass(frozen=True, slots=True)
class Firmware:
    """The firmware, by the way that reached it."""

    devices: Devices
    way: Literal["mailbox", "vcgencmd"]

    def ask(self, command: str) -> str:
        """The answer to a command such as `get_throttled`. Raises Unavailable with the reason."""
        if self.way == "mailbox":
            return _ask_mailbox(self.devices, command)
        return _checked(self.devices.run(["vcgencmd", *command.split()]).decode("utf-8", "replace"))


def connect(devices: Devices) -> Firmware:
    """The mailbox where it answers, the command otherwise.

    Raises:
        Absent: this is no Raspberry Pi.
        Unavailable: neither answers; the reason says what each one said.
    """
    reasons: list[Unavailable] = []
    for firmware in (Firmware(devices, "mailbox"), Firmware(devices, "vcgencmd")):
        try:
            firmware.ask("get_throttled")
        except Unavailable as reason:
            reasons.append(reason)
        else:
            return firmware
    kind = Absent if all(isinstance(reason, Absent) for reason in reasons) else Unavailable
    raise kind("; ".join(map(str, reasons)))


def mailbox_request(command: str) -> bytearray:
    """The buffer that asks the firmware for a command's text (shorter than STRING_BYTES)."""
    text = command.encode("ascii")
    size = _HEADER.size + STRING_BYTES + 4
    buffer = bytearray(size)
    _HEADER.pack_into(buffer, 0, size, 0, COMMAND_TAG, STRING_BYTES, 0, 0)
    buffer[_HEADER.size : _HEADER.size + len(text)] = text
    return buffer


def mailbox_reply(buffer: bytes | bytearray) -> str:
    """The text in a buffer that came back; its lines are separated by NUL bytes.

    Raises:
        Unavailable: the firmware answered with an error, which stands in the header's last word.
    """
    if len(buffer) < _HEADER.size:
        raise Unavailable("the firmware's reply is too short")
    text = bytes(buffer[_HEADER.size : _HEADER.size + STRING_BYTES]).rstrip(b"\0")
    reply = _checked(text.replace(b"\0", b"\n").decode("ascii", "replace"))
    if _HEADER.unpack_from(buffer)[5]:
        raise Unavailable("the firmware did not accept the question")
    return reply


def _ask_mailbox(devices: Devices, command: str) -> str:
    descriptor = _open_mailbox(devices)
    buffer = mailbox_request(command)
    try:
        devices.control(descriptor, PROPERTY_REQUEST, buffer)
    except OSError as error:
        raise Unavailable(f"the firmware device does not answer ({error.strerror})") from error
    finally:
        os.close(descriptor)
    return mailbox_reply(buffer)


def _open_mailbox(devices: Devices) -> int:
    refused: OSError | None = None
    for path in MAILBOXES:
        try:
            return os.open(devices.root / path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as error:
            refused = error
    if refused is None:
        raise Absent("there is no Raspberry Pi firmware device (/dev/vcio)")
    raise Unavailable("/dev/vcio does not open (is the user in the group video?)") from refused


def _checked(reply: str) -> str:
    """The reply, unless it is one of the errors that come with exit status 0."""
    said = _ERROR.search(reply)
    if said:
        raise Unavailable(f"the firmware says “{said.group(1)}”")
    if "VCHI initialization failed" in reply or "Can't open device file" in reply:
        raise Unavailable("vcgencmd may not reach the firmware (is the user in the group video?)")
    return reply
