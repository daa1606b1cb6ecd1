"""The board, its memory, and what of a conversation could reach the disk."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from app.boards import Board
from app.doctor.check import Check, attention, not_checked, ok
from app.doctor.offers import offer

BAD_JETSON_RELEASES = {
    "36.4.7": "it fails large allocations on the GPU although memory is free",
}
"""From llama.cpp pull request 23732; 36.5 and 39.2 are known to work."""

FULL_SUPPLY_MILLIAMPERES = 5000
_UNSIGNED = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Fit:
    """What a model needs of the memory."""

    needed: int
    """Bytes, with `context`, or with the shortest usable one where that is None."""
    context: int | None
    """Tokens that fit; None where not even the shortest context does."""
    wanted: int
    """Tokens that the settings and the model allow."""


def board(found: Board, profile_id: str, pointer_bits: int = 64) -> Check:
    """Which board this is, which profile is used, and whether its system is known to be bad.

    Args:
        found: the board.
        profile_id: the profile in use, which the settings may have named.
        pointer_bits: of the running Python; 32 on a 32-bit userland.
    """
    if pointer_bits < 64:
        return attention(
            "board",
            f"{found.name} runs a {pointer_bits}-bit system.",
            "Install the 64-bit system: models do not fit into a 32-bit address space.",
            essential=True,
        )
    release = found.jetson_release
    if release in BAD_JETSON_RELEASES:
        return attention(
            "board",
            f"{found.name} runs Jetson Linux {release}: {BAD_JETSON_RELEASES[release]}.",
            "Update to JetPack with Jetson Linux 36.5 or later.",
        )
    system = f", Jetson Linux {release}" if release else ""
    known = "no board with a profile of its own" if found.id == "generic" else "a known board"
    return ok("board", f"{found.name}{system} ({known}); the profile is {profile_id}.")


def memory(model: str, available: int | None, fit: Fit, advice: str) -> Check:
    """Whether the model fits into what is available now, with the context that was wished for.

    Args:
        model: its name.
        available: bytes (MemAvailable); None where unknown.
        fit: what the model needs.
        advice: what to do where it does not fit.
    """
    if available is None:
        return not_checked("memory", "The memory that is available could not be read.")
    free = f"{_gigabytes(available)} are available"
    if fit.context is None:
        return attention(
            "memory",
            f"{model} needs at least {_gigabytes(fit.needed)}, and {free}.",
            advice,
            essential=True,
        )
    if fit.context < fit.wanted:
        return attention(
            "memory",
            f"{free}, so {model} gets a context of {fit.context} tokens in place of {fit.wanted}.",
            "Close other programs to make room for longer conversations.",
        )
    need = f"{model} needs {_gigabytes(fit.needed)} with {fit.context} tokens of context"
    return ok("memory", f"{need}, and {free}.")


def swap(table: str | None, backing: Mapping[str, str]) -> Check:
    """Whether memory, and with it a conversation, may be written to a disk.

    Args:
        table: the text of /proc/swaps; None where it could not be read.
        backing: by the name of a compressed one, as `zram0`, what it writes idle pages to
            (/sys/block/zram0/backing_dev); `none` is memory alone.
    """
    if table is None:
        return not_checked("swap", "/proc/swaps could not be read.")
    names = [line.split()[0] for line in table.splitlines()[1:] if line.strip()]
    on_disk = [name for name in names if not re.match(r"/dev/zram\d", name)]
    on_disk += [device for device in backing.values() if device not in ("", "none")]
    if on_disk:
        return attention(
            "swap",
            f"Memory can be written to a disk ({', '.join(on_disk)}), and with it what was typed.",
            f"{offer('swap')}; an encrypted swap is fine.",
        )
    return ok("swap", "Swap is compressed memory only." if names else "There is no swap.")


def core_dumps(limit_bytes: int, pattern: str | None) -> Check:
    """Whether a crash would write memory to a file. The engine forbids it for itself.

    Args:
        limit_bytes: the soft limit of core files (RLIMIT_CORE); -1 is none.
        pattern: the text of /proc/sys/kernel/core_pattern; None where it could not be read.
    """
    if limit_bytes == 0:
        return ok("core dumps", "A crash writes no memory to a file (the limit is 0).")
    if pattern is None:
        return not_checked("core dumps", "/proc/sys/kernel/core_pattern could not be read.")
    to = f"to the program {pattern[1:].split()[0]}" if pattern[1:].strip() else "to a file"
    return attention(
        "core dumps",
        f"A crash of the screen's process would hand its memory "
        f"{to if pattern.startswith('|') else 'to a file'}, with what was typed.",
        f"{offer('core-dumps')}; the engine itself never leaves one.",
    )


def supply(max_current: bytes | None) -> Check:
    """What the power supply promised a Raspberry Pi 5.

    Args:
        max_current: /proc/device-tree/chosen/power/max_current, a big-endian number of
            milliamperes; None where there is none.
    """
    if max_current is None or len(max_current) != _UNSIGNED.size:
        return not_checked("supply", "This machine does not tell what its supply can give.")
    milliamperes = _UNSIGNED.unpack(max_current)[0]
    if milliamperes < FULL_SUPPLY_MILLIAMPERES:
        return attention(
            "supply",
            f"The supply promised {milliamperes / 1000:g} A; under full load the board may crash.",
            "Use a 5 V, 5 A supply (27 W) for the Raspberry Pi 5.",
        )
    return ok("supply", f"The supply promised {milliamperes / 1000:g} A.")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
