"""A sensor that hangs costs its deadline once, and nothing after."""

from __future__ import annotations

import threading
import time

import pytest

from app.monitor.devices import Unavailable
from app.monitor.patience import Patient


def test_a_value_and_a_reason_come_through() -> None:
    answers = iter([1, 2])

    def read() -> int:
        try:
            return next(answers)
        except StopIteration as error:
            raise Unavailable("there are no more") from error

    patient = Patient(read, 5.0)
    assert (patient.ask(), patient.ask()) == (1, 2)
    with pytest.raises(Unavailable, match="no more"):
        patient.ask()
    patient.close()


def test_a_hanging_read_is_given_up_and_its_late_answer_thrown_away() -> None:
    gate = threading.Event()
    answers = iter(["late", "fresh"])
    calls = 0

    def read() -> str:
        nonlocal calls
        calls += 1
        gate.wait(5)
        return next(answers)

    patient = Patient(read, 2.0)
    with pytest.raises(Unavailable, match=r"within 2 s"):
        patient.ask()
    before = time.monotonic()
    with pytest.raises(Unavailable):
        patient.ask()
    assert time.monotonic() - before < 1.5, "a second wait for the same read"
    assert calls == 1, "no read is begun while one hangs"
    gate.set()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert patient.ask() == "fresh"
            break
        except Unavailable:
            time.sleep(0.005)
    else:
        pytest.fail("the sensor came back and was not read")
    patient.close()
