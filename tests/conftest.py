"""What holds for every test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _unsealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command run inside the test process must not take the network from the tests after it.

    What sealing does is tried in processes of their own (tests/app/engine/test_isolation.py,
    tests/app/test_privacy.py).
    """
    monkeypatch.setattr("app.cli.sealing.seal", lambda: "")
