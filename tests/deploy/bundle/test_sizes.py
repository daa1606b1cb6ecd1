"""How large a bundle is said to be, against what Python really leaves on a disk."""

from __future__ import annotations

import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from app.releases.environment import running_python
from app.releases.manifest import BundledFile
from deploy.bundle.contents import Wheels
from deploy.bundle.pins import board_lock, read_lock
from deploy.bundle.sizes import carried, for_python, on_disk
from tests.deploy.bundle.wheels import wheel


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    """Of two Pythons, where the older one's are larger unpacked."""
    own, llama, pip, old, new = (
        wheel(tmp_path, f"{name}-1-py3-none-any.whl", {f"{name}.py": bytes(size)})
        for name, size in (("own", 10), ("llama", 20), ("pip", 30), ("old", 4000), ("new", 40))
    )
    return Wheels(own, llama, pip, {"3.10": (old,), "3.11": (new,)})


def files(wheels: Wheels, **others: int) -> dict[str, BundledFile]:
    """The wheels, each of 100 bytes on the stick, and other files."""
    sizes = {f"wheels/{path.name}": 100 for path in wheels.every()}
    sizes |= {name.replace("_", "/"): size for name, size in others.items()}
    return {path: BundledFile("ab" * 32, size) for path, size in sizes.items()}


def test_the_model_and_the_sources_for_cuda_are_not_counted(wheels: Wheels) -> None:
    listed = files(wheels, models_m=7000, build_b=8000, install=5)
    assert carried(listed) == 5 * 100 + 5
    assert for_python(listed, wheels, "3.10") == 4 * 100 + 5


def test_a_board_needs_the_copy_the_model_again_and_the_larger_environment(wheels: Wheels) -> None:
    larger = sum(map(unpacked, wheels.of("3.10")))
    alone, listed = on_disk({}, wheels), files(wheels, models_m=7000)
    assert on_disk(listed, wheels) == 5 * 100 + 2 * 7000 + alone
    assert compiled_share() * larger <= alone <= 2 * larger


def unpacked(path: Path) -> int:
    """Bytes of what a wheel holds."""
    with zipfile.ZipFile(path) as archive:
        return sum(one.file_size for one in archive.infolist())


def compiled_share() -> float:
    """Bytes of the locked packages as they lie in this environment, to those without what Python
    compiled of them."""
    locked = {pin.project for pin in read_lock(board_lock(running_python()))}
    sizes = [
        (path.suffix, path.stat().st_size)
        for one in distributions()
        if one.metadata["Name"].lower().replace("_", "-") in locked
        for path in installed(one)
    ]
    if not sizes:
        pytest.skip("none of the locked packages is installed here")
    return sum(size for _, size in sizes) / sum(size for end, size in sizes if end != ".pyc")


def installed(package: Distribution) -> list[Path]:
    """Its files that are there."""
    paths = (Path(str(path.locate())) for path in package.files or ())
    return [path for path in paths if path.is_file()]
