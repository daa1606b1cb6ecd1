"""Numbers with their units, as people and clinicians write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.safety.numbers import readings
from app.safety.words import split


def read(text: str) -> dict[str, float]:
    return {one.quantity: one.value for one in readings(split(text))}


@pytest.mark.parametrize(
    ("text", "quantity", "value"),
    [
        ("temp of 39.5", "temperature", 39.5),
        ("a temperature of 104 F", "temperature", 40.0),
        ("fever 102.2", "temperature", 39.0),
        ("T 38,4", "temperature", 38.4),
        ("it says 40 °C", "temperature", 40),
        ("shivers and 38.6", "temperature", 38.6),
        ("sats 88%", "spo2", 88),
        ("her oxygen level is only 84", "spo2", 84),
        ("91% on room air", "spo2", 91),
        ("BP 85/50", "systolic", 85),
        ("blood pressure is 190 over 121", "diastolic", 121),
        ("HR 140", "pulse", 140),
        ("heart is going 160", "pulse", 160),
        ("RR 32", "breaths", 32),
        ("GCS 13/15", "gcs", 13),
        ("GCS drop from 15 to 11", "gcs", 11),
        ("BP 118/90 mmHg", "systolic", 118),
        ("blood pressure 92 over 60", "diastolic", 60),
        ("my wife is 33 weeks", "gestation_weeks", 33),
        ("baby 5 months", "age_months", 5),
        ("sugar is 450", "glucose", 25.0),
        ("glucose 54 mg/dl", "glucose", 3.0),
        ("BM 2.4", "glucose", 2.4),
        ("ketones 4.2", "ketones", 4.2),
        ("K 7.1", "potassium", 7.1),
        ("K+ rung through from the lab: 7.4", "potassium", 7.4),
        ("Na 121 this morning", "sodium", 121),
        ("EBL 1400 mL", "blood_ml", 1400),
        ("lost about 1.5 litres", "blood_ml", 1500),
        ("ABG pH 7.18", "ph", 7.18),
        ("bp 210 and flushed", "systolic", 210),
        ("breathing is 70 a minute", "breaths", 70),
        ("paracetamol, 24 of them", "tablets", 24),
        ("30 paracetamol's worth", "tablets", 30),
        ("thirty-six weeks pregnant", "gestation_weeks", 36),
        ("my 8-week-old", "age_months", 96 / 52),
        ("eight weeks old", "age_months", 96 / 52),
        ("65M", "age_months", 780),
        ("aged 50", "age_months", 600),
        ("9mo", "age_months", 9),
        ("she is 34 weeks pregnant", "gestation_weeks", 34),
        ("32/40 pregnant", "gestation_weeks", 32),
        ("for 3 days", "hours", 72),
        ("pain 9/10", "pain_score", 9),
        ("I took 20 paracetamol", "tablets", 20),
        ("swallowed thirty sleeping tablets", "tablets", 30),
        ("took 12 x 500mg paracetamol", "tablets", 12),
    ],
)
def test_a_number_is_read(text: str, quantity: str, value: float) -> None:
    assert read(text)[quantity] == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("fever for 39 hours", "temperature"),
        ("45F routine review", "temperature"),
        ("took 500 mg paracetamol", "tablets"),
        ("34 weeks pregnant", "age_months"),
        ("O2 2 L", "spo2"),
        ("pulse ox 95", "pulse"),
        ("40.2 m", "age_months"),
        ("pain is 5/10", "systolic"),
        ("on 12/11/2020 I moved", "systolic"),
        ("sugar 3 times a day", "glucose"),
    ],
)
def test_another_number_is_left_alone(text: str, quantity: str) -> None:
    assert quantity not in read(text)


@given(st.floats(35, 42))
def test_both_scales_of_temperature_agree(celsius: float) -> None:
    tenths = round(celsius, 1)
    fahrenheit = round(tenths * 1.8 + 32, 1)
    assert read(f"temperature {fahrenheit} F")["temperature"] == pytest.approx(tenths, abs=0.06)
    assert read(f"temp {tenths} C")["temperature"] == tenths


@given(st.text(alphabet="0123456789 /.,%CFbptemp\n-", max_size=200))
def test_no_text_upsets_it(text: str) -> None:
    list(readings(split(text)))
