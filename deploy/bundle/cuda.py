"""What an Orin needs to build llama.cpp for its GPU on itself, offline.

JetPack 6 has a CUDA of its own kind, for which no compiler runs on x86-64; so the bundle carries
the sources and the build tools, and the wheel for the processor alone until they are used.
"""

from __future__ import annotations

from pathlib import Path

from deploy.bundle.contents import Contents
from deploy.bundle.download import fetch
from deploy.bundle.gather import FROM_SOURCE
from deploy.bundle.libraries import check_wheels
from deploy.bundle.pins import BUILD, SOURCES
from deploy.bundle.resolve import platform_options
from deploy.bundle.source import Source
from deploy.bundle.workplace import Workplace

JETPACK_PYTHON = "3.10"
SCRIPT, NO_COMMON = "build-cuda.sh", "nocommon.cmake"


def contents(place: Workplace, source: Source, pip: Path) -> Contents:
    """The folder `build/` of a bundle for the Orin.

    It is whole by itself, with a pip of its own: a release keeps this folder, and not the wheels
    that it was installed from.

    Raises:
        BadInputError: a tool would not run there.
        ResourceError: a download failed.
    """
    tools = fetch(place, BUILD, platform_options(JETPACK_PYTHON))
    check_wheels(tools)
    (sdist,) = fetch(place, SOURCES, FROM_SOURCE)
    here = source.folder / "deploy" / "bundle"
    carried = (*tools, pip, sdist, here / SCRIPT, here / NO_COMMON)
    return {f"build/{path.name}": path for path in carried}
