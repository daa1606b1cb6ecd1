"""Copying says what became of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.ui import clipboard


def _copy(environ: dict[str, str]) -> tuple[str, list[str]]:
    handed: list[str] = []
    return asyncio.run(clipboard.copy("text ü", handed.append, environ)), handed


def _tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_a_display_the_terminal_gets_it() -> None:
    said, handed = _copy({"TERM": "xterm-256color"})
    assert handed == ["text ü"]
    assert "terminal's clipboard" in said


def test_the_console_has_no_clipboard() -> None:
    said, handed = _copy({"TERM": "linux"})
    assert handed == []
    assert "no clipboard" in said


@pytest.mark.parametrize(
    ("variable", "tool"), [("WAYLAND_DISPLAY", "wl-copy"), ("DISPLAY", "xclip")]
)
def test_a_display_is_reached_by_its_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, tool: str
) -> None:
    _tool(tmp_path, tool, f"cat > {tmp_path}/got")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said, handed = _copy({variable: "1"})
    assert said == f"Copied with {tool}."
    assert handed == []
    assert (tmp_path / "got").read_text() == "text ü"


@pytest.mark.parametrize("script", ["exit 1", "sleep 60"])
def test_a_tool_that_fails_or_hangs_leaves_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    _tool(tmp_path, "xclip", f"exec {script}")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(clipboard, "_TOOL_SECONDS", 0.1)
    said, handed = _copy({"DISPLAY": ":0"})
    assert handed == ["text ü"]
    assert "terminal's clipboard" in said
