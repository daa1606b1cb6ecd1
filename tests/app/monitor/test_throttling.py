"""The Pi's warnings, now and since boot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitor import throttling
from app.monitor.devices import Unavailable


@pytest.mark.parametrize(
    ("reply", "bits", "words"),
    [
        ("throttled=0x0\n", 0, "no"),
        ("throttled=0x20000", 0x20000, "no, but since boot: capped"),
        ("throttled=0x90008", 0x90008, "the soft temperature limit is reached"),
        (
            "throttled=0x5",
            5,
            "the supply's voltage is too low; the processor is throttled",
        ),
    ],
)
def test_bits_become_words(reply: str, bits: int, words: str) -> None:
    assert throttling.parse(reply) == bits
    assert throttling.summary(bits) == words


@pytest.mark.parametrize("reply", ["", "throttled=", "throttled=0xZZ", "0x0", "throttled=0x0 0x1"])
def test_another_answer_is_no_zero(reply: str) -> None:
    with pytest.raises(Unavailable):
        throttling.parse(reply)


@given(st.integers(0, 2**32 - 1))
def test_every_number_of_32_bits_is_read_back(bits: int) -> None:
    assert throttling.parse(f"throttled=0x{bits:x}") == bits
    assert throttling.summary(bits)
