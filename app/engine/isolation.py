"""What the engine process gives up before it opens a file, and how it keeps its channel.

llama.cpp and the libraries under it write to descriptors 1 and 2 when they please; the protocol
therefore runs on duplicates, and 1 and 2 lead to the log. The process dies with its parent, so
that no orphan holds gigabytes, and leaves no core file, which would hold a conversation. It has no
network: an empty namespace where the kernel allows one, and a filter that refuses every socket to
another machine. The screen's process gives up the same, but for the namespace.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.engine.seccomp import socket_filter

DIES_FIRST = 900
"""Of 1000: when memory ends the kernel takes the engine, before the screen and near all else."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000

_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
"""A pipe without a reader is no log either, and is not waited for."""

NO_WALL = "nothing: this kernel offers neither a namespace nor a filter"


@dataclass(frozen=True, slots=True)
class Channel:
    """The descriptors on which the protocol runs."""

    requests: int
    events: int


def take_channel(log_path: str | None) -> Channel:
    """Move the protocol off descriptors 0 and 1; 0 reads nothing, 1 and 2 write to the log.

    The log is begun anew, readable by its owner alone. Without a path it is thrown away, and so it
    is where it cannot be opened (a link, a folder, a full disk): an answer matters more.
    """
    channel = Channel(requests=os.dup(0), events=os.dup(1))
    for descriptor in (channel.requests, channel.events):
        os.set_inheritable(descriptor, False)
    nothing = os.open(os.devnull, os.O_RDWR)
    log = nothing
    if log_path is not None:
        with suppress(OSError):
            log = os.open(log_path, _LOG_FLAGS, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return channel


def die_with(parent: int) -> None:
    """Be killed when `parent` (a process id) ends. Raises OSError where the kernel refuses."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(0)


def die_before_the_screen(score: Path = Path("/proc/self/oom_score_adj")) -> None:
    """Be the first that the kernel ends when memory does.

    The engine holds nearly all of it and is started again; the screen can still say why then.
    Call it before `give_up_privileges`, after which the file is root's.
    """
    with suppress(OSError):  # without /proc the engine is the largest process all the same
        score.write_text(str(DIES_FIRST))


def give_up_privileges() -> None:
    """Dump no core, gain no privileges. Raises OSError where the kernel refuses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, 0)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def give_up_network(namespace: bool) -> str:
    """Have no network from here on, in this thread and all that it starts. Says what holds that.

    Call it before the first thread is started.

    Args:
        namespace: also move into an empty network namespace. Not for a process that must keep
            its place in the user's session.
    """
    walls = []
    if namespace and _enter_empty_namespace():
        walls.append("an empty network namespace")
    if _refuse_sockets():
        walls.append("a filter on system calls")
    return " and ".join(walls) or NO_WALL


def _enter_empty_namespace() -> bool:
    """An own network namespace holds no interface. Without privileges it needs a user namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        return False
    attempts = (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET)
    return any(libc.unshare(flags) == 0 for flags in attempts)


def _refuse_sockets() -> bool:
    program = socket_filter() if sys.platform == "linux" else None
    if program is None:
        return False
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    code = ctypes.create_string_buffer(program, len(program))
    head = _Program(len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(head))
    return bool(libc.prctl(ctypes.c_int(_PR_SET_SECCOMP), *arguments) == 0)


class _Program(ctypes.Structure):
    """`struct sock_fprog`: how many instructions, and where."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    if libc.prctl(ctypes.c_int(option), *arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
