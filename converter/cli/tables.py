"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from converter.census import Census


def sized(size: int) -> str:
    """Bytes in units of a thousand, which is how disks and models are sold."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def counted(number: int) -> str:
    """A count in the unit that leaves one to three digits before the point."""
    for unit, name in ((10**9, " B"), (10**6, " M"), (10**3, " K")):
        if number >= unit:
            return f"{number / unit:.1f}{name}"
    return str(number)


def census_lines(census: Census) -> Iterator[str]:
    """A line for each tensor type."""
    for share in census.shares:
        tensors = f"{share.tensors} tensor{'s' if share.tensors != 1 else ' '}"
        yield (
            f"{share.kind:<6} {tensors:>12} {counted(share.parameters):>9} weights "
            f"{sized(share.nbytes):>10}"
        )
