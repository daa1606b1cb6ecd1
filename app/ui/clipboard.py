"""Copying to the clipboard, and telling what became of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping

_TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
)
"""The variable that says a display is there, and the tool that reaches its clipboard."""

_TOOL_SECONDS = 2.0


async def copy(text: str, to_terminal: Callable[[str], None], environ: Mapping[str, str]) -> str:
    """Copy the text and say how, in a sentence for the user.

    A terminal never says whether it took an OSC 52 sequence, so a tool of the display is asked
    first where there is one.

    Args:
        text: What to copy.
        to_terminal: Hands the text to the terminal by OSC 52.
        environ: The environment, to know the display and the terminal.
    """
    for variable, command in _TOOLS:
        if environ.get(variable) and shutil.which(command[0]) and await _run(command, text):
            return f"Copied with {command[0]}."
    if environ.get("TERM") == "linux":
        return "This console has no clipboard. Export the conversation to a file instead."
    to_terminal(text)
    return "Handed to the terminal's clipboard. If it does not arrive, export the conversation."


async def _run(command: tuple[str, ...], text: str) -> bool:
    """Whether the tool took the text. Its output goes nowhere: wl-copy stays on and holds it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(process.communicate(text.encode()), _TOOL_SECONDS)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()
    return process.returncode == 0
