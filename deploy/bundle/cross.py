"""The llama-cpp-python wheel for both boards, cross-built on x86-64.

There is none to download: what is published for arm64 is built for the oldest processor, without
the dot product that makes a Pi 5 several times as fast. The wheel is `py3-none`, so one serves
every Python, and it carries its own OpenMP library.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.catalog.hashes import sha256_of
from app.errors import BadInputError, UsageError
from deploy.bundle.pins import LOCKS, SOURCES, TOOLS
from deploy.bundle.tools import run
from deploy.bundle.wheelfile import read_wheel, write_wheel
from deploy.bundle.workplace import HERE, Workplace

COMPILER: Final = "aarch64-linux-gnu-gcc"
ARCHITECTURE: Final = "armv8.2-a+dotprod+fp16"
"""What a Pi 5's Cortex-A76 and an Orin's Cortex-A78AE both have."""
CPU_FEATURES: Final = ("asimddp", "asimdhp")
"""The same in the kernel's words: without one, the first product dies of an illegal instruction."""

_TOOLCHAIN, _NO_COMMON = HERE / "aarch64.cmake", HERE / "nocommon.cmake"
FLAGS: Final = (
    "-DGGML_NATIVE=OFF",
    f"-DGGML_CPU_ARM_ARCH={ARCHITECTURE}",
    "-DLLAVA_BUILD=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON",
)
_LEFT_OUT = ("lib/**", "include/**", "bin/**")
"""A second copy of every library beside the package's own, and headers."""
_EPOCH = "315532800"
"""1980, the first that a wheel can hold: the wheel shall depend on its sources alone."""
_NOTICE = Path("/usr/share/doc/libgomp1-arm64-cross/copyright")


@dataclass(frozen=True, slots=True)
class Llama:
    """The wheel, and the source it is made of."""

    wheel: Path
    sdist_sha256: str


def cross_build(place: Workplace, sdist: Path) -> Llama:
    """The wheel for the boards, from the cache where the same was built before.

    Some three minutes of one core. Two builds give the same bytes: the folder's path is kept out
    of the libraries, and the wheel is written anew with a record and times of its own.

    Raises:
        UsageError: the cross compiler is not installed.
        ResourceError: it could not be compiled; the last lines of the log say why.
    """
    sha256 = sha256_of(sdist)
    folder = place.made(f"cache/llama-{_key(place, sha256)}")
    for wheel in folder.glob("*.whl"):
        return Llama(wheel, sha256)
    built = _compile(place, sdist)
    files = _with_openmp(read_wheel(built), _openmp(place))
    wheel = folder / built.name
    write_wheel(wheel, files)
    return Llama(wheel, sha256)


def _key(place: Workplace, sha256: str) -> str:
    """Of all that the wheel depends on."""
    compiler = run([COMPILER, "--version"], environment=place.environment())
    parts = [sha256, compiler, *FLAGS]
    inputs = (_TOOLCHAIN, _NO_COMMON, LOCKS / TOOLS, LOCKS / SOURCES, _openmp(place), _NOTICE)
    parts += [sha256_of(path) for path in inputs]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _openmp(place: Workplace) -> Path:
    """The compiler's own OpenMP library, which the wheel carries."""
    asked = [COMPILER, "-print-file-name=libgomp.so.1"]
    found = Path(run(asked, environment=place.environment()).strip())
    if not found.is_file() or not _NOTICE.is_file():
        raise UsageError(
            "The cross compiler's OpenMP library or its licence is not installed: "
            "`sh deploy/bundle/packages.sh` says what the builder needs."
        )
    return found


def _compile(place: Workplace, sdist: Path) -> Path:
    """The wheel as scikit-build-core makes it."""
    sources, build = place.emptied("llama/source"), place.emptied("llama/build")
    run(
        ["tar", "-xf", sdist, "-C", sources, "--strip-components=1"],
        environment=place.environment(),
    )
    out = place.emptied("llama/wheel")
    options = [f"wheel.exclude={pattern}" for pattern in _LEFT_OUT] + [f"build-dir={build}"]
    settings = [part for option in options for part in ("-C", option)]
    place.pip(
        "wheel",
        "--verbose",
        "--no-build-isolation",
        "--no-deps",
        f"--wheel-dir={out}",
        *settings,
        sources,
        log=place.folder / "llama" / "log",
        _PYTHON_HOST_PLATFORM="linux-aarch64",
        CMAKE_TOOLCHAIN_FILE=str(_TOOLCHAIN),
        CMAKE_ARGS=shlex.join([*FLAGS, f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={_NO_COMMON}"]),
        CMAKE_BUILD_PARALLEL_LEVEL=str(os.cpu_count() or 1),
        CFLAGS=f"-ffile-prefix-map={place.folder}=.",
        CXXFLAGS=f"-ffile-prefix-map={place.folder}=.",
        SOURCE_DATE_EPOCH=_EPOCH,
    )
    (wheel,) = out.glob("*.whl")
    return wheel


def _with_openmp(files: dict[str, bytes], openmp: Path) -> dict[str, bytes]:
    """The wheel's files with the OpenMP library beside the others, where they look first."""
    names = [name for name in files if name.endswith(".dist-info/RECORD")]
    if len(names) != 1 or "llama_cpp/lib/libllama.so" not in files:
        raise BadInputError("The wheel of llama-cpp-python was not built as it should be.")
    information = names[0].removesuffix("RECORD")
    return {
        **files,
        f"llama_cpp/lib/{openmp.name}": openmp.read_bytes(),
        f"{information}licenses/libgomp.txt": _NOTICE.read_bytes(),
    }
