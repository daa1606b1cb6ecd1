"""Running the builder's tools: a failure is told in words, with what the tool said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import ResourceError, UsageError
from deploy.bundle.tools import run
from deploy.bundle.workplace import Workplace


def test_output() -> None:
    assert run(["sh", "-c", "echo said; echo heard >&2"], environment=os.environ) == "said\n"


def test_a_log_gets_everything(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(["sh", "-c", "echo said; echo heard >&2"], environment=os.environ, log=log)
    assert sorted(log.read_text().split()) == ["heard", "said"]


def test_failure() -> None:
    command = "for line in $(seq 50); do echo line $line >&2; done; exit 3"
    with pytest.raises(ResourceError) as caught:
        run(["sh", "-c", command], environment=os.environ)
    lines = str(caught.value).splitlines()
    assert lines[0] == "sh ended with 3:"
    assert (lines[1], lines[-1]) == ("line 31", "line 50")


def test_a_tool_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no-such-tool is not installed.*packages\.sh"):
        run(["no-such-tool"], environment={"PATH": "/nowhere"})


def test_one_builder_at_a_time(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "build")
    with place.alone(), pytest.raises(UsageError, match="Another builder"), place.alone():
        pass
    with place.alone():
        pass


def test_what_a_tool_may_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither pip's configuration nor an enclosing repository finds its way into a bundle."""
    monkeypatch.setenv("PIP_FIND_LINKS", "/somewhere")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://example.org")
    monkeypatch.setenv("CFLAGS", "-march=native")
    environment = Workplace(tmp_path).environment(CFLAGS="-O2")
    assert environment["PIP_CONFIG_FILE"] == os.devnull
    assert environment["GIT_DIR"] == os.devnull
    assert environment["CFLAGS"] == "-O2"
    assert not environment.keys() & {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}
    assert environment["PATH"].startswith(str(tmp_path))
