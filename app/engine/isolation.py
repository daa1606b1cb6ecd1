"""What the engine process gives up before it opens a file, and how it keeps its channel.

llama.cpp and the libraries under it write to descriptors 1 and 2 when they please; the protocol
therefore runs on duplicates, and 1 and 2 lead to the log. The process dies with its parent, so
that no orphan holds gigabytes, and leaves no core file, which would hold a conversation.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class Channel:
    """The descriptors on which the protocol runs."""

    requests: int
    events: int


def take_channel(log_path: str | None) -> Channel:
    """Move the protocol off descriptors 0 and 1; 0 reads nothing, 1 and 2 write to the log.

    The log is begun anew, readable by its owner alone; without a path it is thrown away.
    """
    channel = Channel(requests=os.dup(0), events=os.dup(1))
    for descriptor in (channel.requests, channel.events):
        os.set_inheritable(descriptor, False)
    nothing = os.open(os.devnull, os.O_RDWR)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
    log = nothing if log_path is None else os.open(log_path, flags, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return channel


def give_up(parent: int) -> None:
    """Die with `parent` (its process id), dump no core, gain no privileges.

    Raises OSError where the kernel refuses one of them.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(0)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    if libc.prctl(ctypes.c_int(option), *arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
