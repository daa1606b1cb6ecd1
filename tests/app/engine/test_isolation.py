"""What is given up is gone: each claim is tried in a process of its own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from app.engine.seccomp import socket_filter

pytestmark = pytest.mark.skipif(
    socket_filter() is None or sys.platform != "linux",
    reason=f"no filter is known for {platform.machine()}",
)

_GIVE_UP = """
import socket, threading, sys
from app.engine.isolation import give_up_network, give_up_privileges
give_up_privileges()
print(give_up_network(namespace={namespace}))
def attempt(family, kind):
    try:
        socket.socket(family, kind).close()
        return "opened"
    except OSError as error:
        return type(error).__name__
"""


def _run(code: str, namespace: bool = False) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _GIVE_UP.format(namespace=namespace) + code],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"])
def test_no_socket_to_another_machine(family: str, kind: str) -> None:
    said = _run(f"print(attempt(socket.{family}, socket.{kind}))")
    assert said[-1] == "PermissionError"


def test_processes_of_this_machine_still_talk() -> None:
    assert _run("socket.socketpair(); print(attempt(socket.AF_UNIX, socket.SOCK_STREAM))")[-1] == (
        "opened"
    )


def test_threads_and_children_have_none_either() -> None:
    code = """
found = []
thread = threading.Thread(
    target=lambda: found.append(attempt(socket.AF_INET, socket.SOCK_STREAM)))
thread.start(); thread.join(); print(found[0])
import subprocess
print(subprocess.run([sys.executable, "-c", "import socket; socket.socket()"],
                     stderr=subprocess.DEVNULL).returncode)
"""
    assert _run(code)[-2:] == ["PermissionError", "1"]


def test_asyncio_still_runs() -> None:
    code = """
import asyncio
async def main():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(7)",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print((await process.communicate())[0].decode().strip())
asyncio.run(main())
"""
    assert _run(code)[-1] == "7"


def test_a_namespace_shows_no_interface_that_is_up() -> None:
    said = _run("print(open('/proc/self/net/dev').read().count(':'))", namespace=True)
    if "namespace" not in said[0]:
        pytest.skip(f"this kernel grants no namespace here: {said[0]}")
    assert said[-1] == "1"  # the loopback, and it is down


def test_no_core_file_and_no_new_privileges() -> None:
    code = """
import resource
print(resource.getrlimit(resource.RLIMIT_CORE))
print([line for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
"""
    said = _run(code)
    assert said[-2] == "(0, 0)"
    assert "1" in said[-1]


def test_the_filter_says_what_holds() -> None:
    assert "filter" in _run("")[0]


def test_io_uring_is_no_way_round() -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(425, 1, 0), ctypes.get_errno())
"""
    import errno

    assert _run(code)[-1] == f"-1 {errno.EACCES}"


def test_an_unprivileged_user_is_kept_in_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else to try")
    become = "import os, socket, threading, app.engine.isolation\nos.setuid(65534)\n"
    code = "print(attempt(socket.AF_INET, socket.SOCK_STREAM))"
    done = subprocess.run(
        [sys.executable, "-c", become + _GIVE_UP.format(namespace=True) + code],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split("\n")[-2] == "PermissionError"


def test_an_unknown_machine_gets_no_filter() -> None:
    assert socket_filter("riscv64") is None
