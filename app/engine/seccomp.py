"""A system-call filter with one subject: no sockets but those between processes of this machine.

Classic BPF over `struct seccomp_data` (linux/seccomp.h): number at 0, architecture at 4, the low
half of the first argument at 16. A refused call fails with EACCES, so that a library that tries
goes on without. io_uring could open sockets past the filter and is refused whole.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct
from dataclasses import dataclass

_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EACCES
_X32 = 0x40000000
"""Numbers from here on are x86's third set of calls, which would go round the comparison."""


@dataclass(frozen=True, slots=True)
class _Calls:
    architecture: int
    socket: int
    io_uring_setup: int


_MACHINES = {
    "x86_64": _Calls(0xC000003E, 41, 425),
    "aarch64": _Calls(0xC00000B7, 198, 425),
}
"""Architecture words of linux/audit.h and call numbers of its asm/unistd.h."""


def socket_filter(machine: str | None = None) -> bytes | None:
    """The program, 8 bytes an instruction; None for a machine whose calls are not known here."""
    calls = _MACHINES.get(machine or platform.machine())
    if calls is None:
        return None
    # (operation, constant, skip when true, skip when false); the last line is the refusal.
    lines = [
        (_LOAD, _ARCHITECTURE, 0, 0),
        (_IF_EQUAL, calls.architecture, 0, 7),
        (_LOAD, _NUMBER, 0, 0),
        (_IF_AT_LEAST, _X32, 5, 0),
        (_IF_EQUAL, calls.io_uring_setup, 4, 0),
        (_IF_EQUAL, calls.socket, 0, 2),
        (_LOAD, _FIRST_ARGUMENT, 0, 0),
        (_IF_EQUAL, socket.AF_UNIX, 0, 1),
        (_RETURN, _ALLOW, 0, 0),
        (_RETURN, _REFUSE, 0, 0),
    ]
    return b"".join(struct.pack("=HBBI", op, yes, no, value) for op, value, yes, no in lines)
