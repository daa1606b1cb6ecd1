"""Whether a set of packages is complete on a Python that is not the one that chose it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.errors import ResourceError
from deploy.bundle.pins import Pin
from deploy.bundle.resolve import Chosen, board_environment, check_complete, platform_options


def chosen(project: str, version: str, *requires: str) -> Chosen:
    return Chosen(Pin(project, version, "0" * 64), requires)


def test_a_marker_that_another_python_judges_otherwise() -> None:
    """pip on 3.11 leaves out what a package asks for on 3.10 alone."""
    packages = [chosen("toy", "1.0", 'tomli>=2; python_version < "3.11"')]
    check_complete(packages, board_environment("3.11"))
    with pytest.raises(ResourceError, match=r"Python 3\.10 is not complete: toy needs tomli"):
        check_complete(packages, board_environment("3.10"))
    check_complete([*packages, chosen("tomli", "2.1")], board_environment("3.10"))


def test_a_version_that_does_not_fit() -> None:
    packages = [chosen("toy", "1.0", "Other_Toy<2"), chosen("other-toy", "2.0")]
    with pytest.raises(ResourceError, match="Other_Toy<2"):
        check_complete(packages, board_environment("3.12"))


def test_what_other_systems_and_extras_ask_for() -> None:
    asked = ('colorama; sys_platform == "win32"', 'doc>=1; extra == "docs"')
    check_complete([chosen("toy", "1.0", *asked)], board_environment("3.13"))


def test_every_tag_that_a_board_accepts_is_named() -> None:
    """pip derives none from another: with the newest alone it finds nothing."""
    options = platform_options("3.10")
    assert "--only-binary=:all:" in options
    tags = {value for name, value in pairwise(options) if name == "--platform"}
    assert {"manylinux_2_17_aarch64", "manylinux_2_28_aarch64", "manylinux_2_35_aarch64"} <= tags
    assert {"manylinux2014_aarch64", "linux_aarch64"} <= tags
    assert "manylinux_2_36_aarch64" not in tags
