"""Numbers that are signs: temperature, saturation, pressure, age and the like, in common units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_NUMBER = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_TEENS = {
    **{"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9},
    **{"ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "fifteen": 15, "sixteen": 16},
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100},
}
_COUNT = rf"(\d{{1,3}}|{'|'.join(_TEENS)})"
_NO_DOSE = (
    r"(?!\d|[.,]\d|\s*(?:mg|mcg|ug|ml|g|grams?|times|hours?|hrs?|days?|weeks?|months?"
    r"|years?|minutes?|mins?|%|units?|st|nd|rd|th|am|pm)\b)"
)
_TABLETS = (
    r"(?:tab(?:let)?s?|pills?|capsules?|caps|gummies|paracetamols?|tylenols?|acetaminophens?"
    r"|panadols?|ibuprofens?|advils?|aspirins?|nurofens?|co-?codamols?|codeines?|benadryls?"
    r"|sertralines?|amitriptylines?|propranolols?|zopiclones?|diazepams?|valiums?|xanax"
    r"|antidepressants?|painkillers?|sleepers?|metformins?|tramadols?|oxycodones?)"
)
_DIGIT = re.compile(r"\d")
_GAP = r"[^.;\d\n]"


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of a text."""

    quantity: str
    value: float
    """In the unit of the quantity's name, where it has one."""
    start: int
    """Its place in the normalised text, in characters."""


_Value = Callable[[re.Match[str]], float | None]


def readings(text: str) -> Iterator[Reading]:
    """Every number in a normalised text whose meaning is plain from the words beside it."""
    digits = _DIGIT.search(text) is not None
    for quantity, pattern, value in _PATTERNS:
        if not digits and quantity != "tablets":
            continue  # only tablets are counted in words
        for found in re.finditer(pattern, text):
            number = value(found)
            if number is not None:
                yield Reading(quantity, number, found.start())


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def _within(low: float, high: float) -> _Value:
    """A number that can be meant; another one is something else (a room, a date)."""

    def value(found: re.Match[str]) -> float | None:
        number = _float(found[1])
        return number if low <= number <= high else None

    return value


def _temperature_with_unit(found: re.Match[str]) -> float | None:
    """In °C. "45 F" is a woman's age."""
    number = _float(found[1])
    if found[2].startswith("f"):
        return (number - 32) / 1.8 if 85 <= number <= 115 else None
    return number if 25 <= number <= 45 else None


def _temperature(found: re.Match[str]) -> float | None:
    """In °C. Without a unit the size tells: nobody lives at 39 °F or 103 °C."""
    number = _float(found[1])
    if 93 <= number <= 113:
        return (number - 32) / 1.8
    return number if 25 <= number <= 45 else None


def _glucose(found: re.Match[str]) -> float | None:
    """In mmol/l; mg/dl where the unit or the size says so (18 mg/dl of glucose are 1 mmol/l)."""
    number = _float(found[1])
    if (found[2] or "").startswith("mg") or number > 35:
        number /= 18
    return number if 0.3 <= number <= 80 else None


def _systolic(found: re.Match[str]) -> float | None:
    pressures = _pressures(found)
    return pressures and pressures[0]


def _diastolic(found: re.Match[str]) -> float | None:
    pressures = _pressures(found)
    return pressures and pressures[1]


def _pressures(found: re.Match[str]) -> tuple[float, float] | None:
    """Both of a pair, if it can be a blood pressure; small ones need the word beside them."""
    high, low = float(found[2]), float(found[3])
    told = found[1] is not None or found[4] is not None
    if not (40 <= high <= 300 and 20 <= low <= 200 and low < high):
        return None
    return (high, low) if told or high >= 100 else None


def _months(found: re.Match[str]) -> float | None:
    """An age in months; a bare number counts years."""
    number, unit = float(found[1]), (found.groupdict().get("unit") or "y")[:2]
    factor = {
        "da": 12 / 365,
        "we": 12 / 52,
        "wk": 12 / 52,
        "mo": 1.0,
        "mt": 1.0,
        "/1": 1.0,
        "/5": 12 / 52,
    }.get(unit, 12.0)
    return number * factor if number * factor <= 120 * 12 else None


def _hours(found: re.Match[str]) -> float:
    factor = {"d": 24.0, "w": 168.0}.get(found[2][0], 1.0)
    return _float(found[1]) * factor


def _count(found: re.Match[str]) -> float:
    return float(_TEENS.get(found[1], 0) or found[1])


_PRESSURE = (
    rf"(?:\b(bp|b/p|blood pressure|pressure)\b{_GAP}{{0,30}})?\b"
    r"(\d{2,3})\s*(?:/|over)\s*(\d{2,3})\b(?!/)(\s*mm ?hg)?"
)
_UNIT = r"(?P<unit>days?|weeks?|wks?|months?|mos?|mths?|years?|yrs?|y)"
_PATTERNS: tuple[tuple[str, str, _Value], ...] = (
    (
        "temperature",
        rf"\b{_NUMBER}\s*(?:°|degrees?|deg)?\s*(c|f|celsius|fahrenheit|centigrade)\b",
        _temperature_with_unit,
    ),
    ("temperature", rf"\b{_NUMBER}\s*(?:°|degrees?\b)", _temperature),
    (
        "temperature",
        rf"\b(?:temp|temps|temperature|fever|feverish|febrile|tmax)\b{_GAP}{{0,30}}?{_NUMBER}"
        rf"{_NO_DOSE}(?!\s*/)",
        _temperature,
    ),
    ("temperature", rf"\bt\s?[:=]?\s?{_NUMBER}{_NO_DOSE}", _temperature),
    (
        "temperature",
        rf"\b{_NUMBER}\s*(?:°|degrees?|deg)?\s*(?:temp|temperature|fever)\b",
        _temperature,
    ),
    (
        "temperature",
        rf"(?<![\d./])(3[89]\.\d|4[01]\.\d){_NO_DOSE}(?!\s*(?:kg|mmol|mm|cm|lbs?|bmi|k)\b)",
        _temperature,
    ),
    (
        "spo2",
        rf"\b(?:spo2|sp02|sao2|o2|oxygen|sats?|saturations?|pulse ox|oximeter"
        rf"|finger (?:thing|probe|monitor|clip|meter))\b{_GAP}{{0,35}}?"
        r"(\d{2,3})\b(?!\s*(?:l|litres?|liters?|yo|years?|minutes?|mg)\b)",
        _within(40, 100),
    ),
    (
        "spo2",
        r"\b(\d{2})\s*%\s*(?:on (?:room |ra\b)?(?:air)?|sats?|oxygen|spo2|saturation|o2)",
        _within(40, 100),
    ),
    ("systolic", _PRESSURE, _systolic),
    ("diastolic", _PRESSURE, _diastolic),
    ("systolic", rf"\b(?:systolic|sbp)\b{_GAP}{{0,20}}?(\d{{2,3}})\b(?!\s*/)", _within(30, 300)),
    (
        "pulse",
        rf"\b(?:hr|heart ?rate|pulse(?! ox)|heart ?beats?|heart is (?:going|beating|racing)|p)\b"
        rf"{_GAP}{{0,20}}?(\d{{2,3}})\b"
        r"(?!\s*(?:%|/|over|yo|years?|min(?:ute)?s?\b|hours?|days?|weeks?|mg))",
        _within(20, 300),
    ),
    ("pulse", r"\b(\d{2,3})\s*(?:bpm\b|beats (?:per|a) min)", _within(20, 300)),
    (
        "breaths",
        rf"\b(?:rr|resp(?:iratory)?(?: rate)?|resps|breathing rate)\b{_GAP}{{0,15}}?(\d{{1,3}})\b",
        _within(2, 120),
    ),
    ("breaths", r"\b(\d{1,3})\s*breaths", _within(2, 120)),
    ("breaths", r"\bbreath\w* (?:at )?(\d{1,3}) ?(?:times|x)?\s*(?:/|a|per) ?min", _within(2, 120)),
    ("gcs", r"\bgcs\D{0,12}?(\d{1,2})\b", _within(3, 15)),
    (
        "glucose",
        rf"\b(?:glucose|sugars?|bm|bms|cbg|bsl|rbs|bgl|bg|glucometer)\b{_GAP}{{0,30}}?{_NUMBER}"
        r"\s*(mmol|mg)?(?!\d|\s*(?:times|days?|hours?|weeks?|months?|years?|g|spoon\w*|%)\b)",
        _glucose,
    ),
    ("ketones", rf"\bketones?{_GAP}{{0,20}}?(\d(?:[.,]\d)?)\b", _within(0, 15)),
    ("potassium", rf"\b(?:k|potassium)\b{_GAP}{{0,12}}?(\d[.,]\d)\b", _within(1, 12)),
    ("lactate", rf"\blactate\b{_GAP}{{0,12}}?(\d{{1,2}}(?:[.,]\d)?)\b", _within(0.2, 30)),
    ("news", r"\bnews ?2?(?: score)?(?: of| is|:)? (\d{1,2})\b", _within(0, 20)),
    ("map", r"\bmap(?: of| is|:)? (\d{2,3})\b", _within(20, 200)),
    ("inr", rf"\binr\b{_GAP}{{0,12}}?(\d{{1,2}}(?:[.,]\d)?)\b", _within(0.5, 30)),
    ("age_months", rf"\b(\d{{1,3}})\s*-?\s*{_UNIT}\s*-?\s*/?\s*(?:old|o)\b", _months),
    ("age_months", r"\b(\d{1,2})\s?(?P<unit>mo|/12|/52)\b", _months),
    (
        "age_months",
        r"\b(?:baby|infant|newborn|child|toddler|neonate|girl|boy)(?: of|,| is| aged?) "
        rf"(\d{{1,2}}) {_UNIT}\b",
        _months,
    ),
    ("age_months", rf"\bage[d:]?\s*(\d{{1,3}})\s*{_UNIT}?\b", _months),
    (
        "age_months",
        r"\b(\d{1,3})\s*-?\s*(?:year|yr)?s?\s*-?\s*(?:m|f|male|female|man|woman|boy|girl|lady"
        r"|gentleman)\b",
        _months,
    ),
    ("age_months", r"\b(?:m|f)\s?(\d{2})\b(?!\s*[%/.])", _months),
    ("age_months", rf"\b(?:am|is) (\d{{1,3}})(?=[.,!?]|\s(?:and|with)\b|$){_NO_DOSE}", _months),
    (
        "gestation_weeks",
        r"\b(\d{1,2})\s*(?:\+\d)?\s*(?:/40|w(?:ee)?ks? (?:pregnant|gestation|along))",
        _within(3, 44),
    ),
    (
        "gestation_weeks",
        r"\b(?:i am|she is|wife is|at|currently) (\d{1,2}) ?(?:\+\d )?w(?:ee)?ks?\b(?! old)",
        _within(4, 43),
    ),
    (
        "gestation_weeks",
        r"(?:^|[.,;]\s)([23]\d|4[01]) ?w(?:ee)?ks?\b(?! (?:old|ago|later|of|post))",
        _within(4, 43),
    ),
    ("gestation_weeks", rf"\bpregnant{_GAP}{{0,20}}?(\d{{1,2}}) ?w", _within(3, 44)),
    ("hours", rf"\b{_NUMBER}\s*(hours?|hrs?|h|days?|d|weeks?|wks?)\b", _hours),
    ("pain_score", r"\b(\d{1,2})\s*(?:/|out of)\s*10\b", _within(0, 10)),
    (
        "tablets",
        r"\b(?:took|taken|taking|swallowed|ate|eaten|ingested|popped|downed|overdosed|od|had)\b"
        rf"[^.;\n]{{0,40}}?\b{_COUNT}{_NO_DOSE}\s*(?:x\s*)?(?:\S+\s+){{0,3}}?{_TABLETS}\b",
        _count,
    ),
)
