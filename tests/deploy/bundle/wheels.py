"""Small wheels for tests."""

from __future__ import annotations

from pathlib import Path

from deploy.bundle.wheelfile import write_wheel


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """A wheel of that file name with these files and a sound record."""
    project, version, *_ = name.split("-")
    information = f"{project}-{version}.dist-info"
    path = folder / name
    write_wheel(
        path,
        {
            f"{information}/METADATA": f"Name: {project}\nVersion: {version}\n".encode(),
            f"{information}/RECORD": b"",
            **files,
        },
    )
    return path
