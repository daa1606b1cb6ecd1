"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from converter.census import Census

if TYPE_CHECKING:
    from converter.cut.restore import Gain


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


def gain_lines(gains: Sequence[Gain]) -> Iterator[str]:
    """A line for each fit: how far what is read (norm) or written is off without and with it."""
    if gains:
        yield "held-out error of what is read and of the stream, without the repair and with it:"
    for gain in gains:
        if gain.ridge is None:
            yield f"  layer {gain.layer:>3} {gain.part:<11} {gain.before:8.3%}  left alone"
        else:
            share = 1 - gain.after / gain.before
            yield (
                f"  layer {gain.layer:>3} {gain.part:<11} {gain.before:8.3%} to {gain.after:8.3%}, "
                f"{share:4.0%} less (ridge {gain.ridge:g})"
            )
