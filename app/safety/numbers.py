"""Numbers that are signs: temperature, saturation, pressure, age and the like, in common units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from app.safety.words import Words, split

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


def readings(words: Words) -> Iterator[Reading]:
    """Every number of a text whose meaning is plain from the words beside it.

    A pattern is tried only where its first word or a number stands: most texts have few of both.
    """
    patterns = _by_first_word()
    for word in words.words:
        first = "" if word.text[0].isdigit() else word.text
        for quantity, pattern, value in patterns.get(first, ()):
            found = pattern.match(words.text, word.start)
            number = value(found) if found else None
            if number is not None:
                yield Reading(quantity, number, word.start)


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


def _pressure(part: int) -> _Value:
    """The upper (1) or the lower (2) of a pair, if it can be a blood pressure.

    Small ones need a word beside them that says so: "pressure", or "mmHg".
    """

    def value(found: re.Match[str]) -> float | None:
        high, low = float(found["high"]), float(found["low"])
        told = found["unit"] is not None or not found[0][0].isdigit()
        if not (40 <= high <= 300 and 20 <= low <= 200 and low < high):
            return None
        return (high, low)[part - 1] if told or high >= 100 else None

    return value


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


def _millilitres(found: re.Match[str]) -> float | None:
    """Of blood. "1.5 l" is 1500 ml."""
    number = _float(found[1]) * (1 if found[2].startswith("m") else 1000)
    return number if 100 <= number <= 6000 else None


def _count(found: re.Match[str]) -> float:
    return float(_TEENS.get(found[1], 0) or found[1])


_PAIR = r"\b(?P<high>\d{2,3})\s*(?:/|over)\s*(?P<low>\d{2,3})\b(?!/)(?P<unit>\s*mm ?hg)?"
_PRESSURE = "bp|b/p|blood pressure|pressure"
_TEMPERATURE = "temp|temps|temperature|fever|feverish|febrile|tmax"
_PULSE = (
    "hr|heart rate|heartrate|pulse|heart beat|heart beats|heartbeat|heartbeats|heart is going"
    "|heart is beating|heart is racing|heart going|heart racing|heart at|p"
)
_UNIT = r"(?P<unit>days?|weeks?|wks?|months?|mos?|mths?|years?|yrs?|y)"

_AFTER_WORDS: tuple[tuple[str, str, str, _Value], ...] = (
    (
        "temperature",
        _TEMPERATURE,
        rf"\b{_GAP}{{0,30}}?{_NUMBER}{_NO_DOSE}(?!\s*/)",
        _temperature,
    ),
    ("temperature", "t", rf"\s?[:=]?\s?{_NUMBER}{_NO_DOSE}", _temperature),
    (
        "spo2",
        "spo2|sp02|sao2|o2|oxygen|sat|sats|saturation|saturations|pulse ox|oximeter|finger thing"
        "|finger probe|finger monitor|finger clip|finger meter",
        rf"\b{_GAP}{{0,35}}?(\d{{2,3}})\b(?!\s*(?:l|litres?|liters?|yo|years?|minutes?|mg)\b)",
        _within(40, 100),
    ),
    ("systolic", _PRESSURE, rf"\b{_GAP}{{0,30}}{_PAIR}", _pressure(1)),
    ("diastolic", _PRESSURE, rf"\b{_GAP}{{0,30}}{_PAIR}", _pressure(2)),
    (
        "systolic",
        "bp|b/p|blood pressure",
        r" (?:of |is |was |at |now )?([12]\d\d)\b(?!\s*(?:/|over|\d))",
        _within(60, 300),
    ),
    ("systolic", "systolic|sbp", rf"\b{_GAP}{{0,20}}?(\d{{2,3}})\b(?!\s*/)", _within(30, 300)),
    (
        "pulse",
        _PULSE,
        rf"\b(?! ox){_GAP}{{0,20}}?(\d{{2,3}})\b"
        r"(?!\s*(?:%|/|over|yo|years?|min(?:ute)?s?\b|hours?|days?|weeks?|mg))",
        _within(20, 300),
    ),
    (
        "breaths",
        "rr|resp|respiratory|resp rate|respiratory rate|resps|breathing rate",
        rf"\b{_GAP}{{0,15}}?(\d{{1,3}})\b",
        _within(2, 120),
    ),
    (
        "breaths",
        "breath|breaths|breathe|breathes|breathing",
        r" (?:at |is |about |around ){0,2}(\d{1,3}) ?(?:times|x)?\s*(?:/|a|per) ?min",
        _within(2, 120),
    ),
    ("gcs", "gcs", r"\D{0,20}\d{1,2} ?(?:to|-+>|→) ?(\d{1,2})\b", _within(3, 15)),
    ("gcs", "gcs", r"\D{0,12}?(\d{1,2})\b(?! ?(?:to|-+>|→) ?\d)", _within(3, 15)),
    (
        "glucose",
        "glucose|sugar|sugars|bm|bms|cbg|bsl|rbs|bgl|bg|glucometer",
        rf"\b{_GAP}{{0,30}}?{_NUMBER}"
        r"\s*(mmol|mg)?(?!\d|\s*(?:times|days?|hours?|weeks?|months?|years?|g|spoon\w*|%)\b)",
        _glucose,
    ),
    ("ketones", "ketone|ketones", rf"{_GAP}{{0,20}}?(\d(?:[.,]\d)?)\b", _within(0, 15)),
    ("potassium", "k", rf"\b{_GAP}{{0,12}}?(\d[.,]\d)\b", _within(1, 12)),
    (
        "potassium",
        r"k\+|potassium|hyperkalaemia|hyperkalemia",
        rf"{_GAP}{{0,45}}?(\d[.,]\d)\b",
        _within(1, 12),
    ),
    (
        "sodium",
        "na|sodium|hyponatraemia|hyponatremia",
        rf"\b{_GAP}{{0,20}}?(1\d\d)\b",
        _within(100, 180),
    ),
    (
        "blood_ml",
        "ebl|mbl|qbl|blood loss|pph|lost|bled",
        rf"\b{_GAP}{{0,30}}?(\d(?:[.,]\d+)?|\d{{3,4}})\s?(mls?|l|litres?|liters?)\b",
        _millilitres,
    ),
    ("ph", "ph", r"\W{0,3}(7[.,]\d{1,2}|6[.,]\d{1,2})\b", _within(6.6, 7.8)),
    ("lactate", "lactate", rf"\b{_GAP}{{0,12}}?(\d{{1,2}}(?:[.,]\d)?)\b", _within(0.2, 30)),
    ("news", "news", r" ?2?(?: score)?(?: of| is|:)? (\d{1,2})\b", _within(0, 20)),
    ("map", "map", r"(?: of| is|:)? (\d{2,3})\b", _within(20, 200)),
    ("inr", "inr", rf"\b{_GAP}{{0,12}}?(\d{{1,2}}(?:[.,]\d)?)\b", _within(0.5, 30)),
    (
        "age_months",
        "baby|infant|newborn|child|toddler|neonate|girl|boy",
        rf"(?: of|,| is| aged?)? (\d{{1,2}}) {_UNIT}\b",
        _months,
    ),
    ("age_months", "age|aged", rf":?\s*(\d{{1,3}})\s*{_UNIT}?\b", _months),
    ("age_months", "m|f", r"\s?(\d{2})\b(?!\s*[%/.])", _months),
    ("age_months", "am|is", rf" (\d{{1,3}})(?=[.,!?]|\s(?:and|with)\b|$){_NO_DOSE}", _months),
    (
        "gestation_weeks",
        "i am|she is|wife|wife is|partner|girlfriend|sister|daughter|at|currently",
        r" (\d{1,2}) ?(?:\+\d )?w(?:ee)?ks?\b(?! old)",
        _within(4, 43),
    ),
    ("gestation_weeks", "pregnant", rf"{_GAP}{{0,20}}?(\d{{1,2}}) ?w", _within(3, 44)),
    (
        "tablets",
        "paracetamol|tylenol|ibuprofen|aspirin|pills|tablets|painkillers|antidepressants",
        rf"\b[^.;\n]{{0,20}}?\b{_COUNT} of (?:them|em)\b",
        _count,
    ),
    (
        "tablets",
        "took|taken|taking|swallowed|ate|eaten|ingested|popped|downed|overdosed|od|had",
        rf"\b[^.;\n]{{0,40}}?\b{_COUNT}{_NO_DOSE}\s*(?:x\s*)?(?:\S+\s+){{0,3}}?{_TABLETS}\b",
        _count,
    ),
)
"""What is said before the number, and what may follow it."""

_AT_NUMBERS: tuple[tuple[str, str, _Value], ...] = (
    (
        "temperature",
        rf"\b{_NUMBER}\s*(?:°|degrees?|deg)?\s*(c|f|celsius|fahrenheit|centigrade)\b",
        _temperature_with_unit,
    ),
    ("temperature", rf"\b{_NUMBER}\s*(?:°|degrees?\b)", _temperature),
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
        r"\b(\d{2})\s*%\s*(?:on (?:room |ra\b)?(?:air)?|sats?|oxygen|spo2|saturation|o2)",
        _within(40, 100),
    ),
    ("systolic", _PAIR, _pressure(1)),
    ("diastolic", _PAIR, _pressure(2)),
    ("pulse", r"\b(\d{2,3})\s*(?:bpm\b|beats (?:per|a) min)", _within(20, 300)),
    ("breaths", r"\b(\d{1,3})\s*breaths", _within(2, 120)),
    ("age_months", rf"\b(\d{{1,3}})\s*-?\s*{_UNIT}\s*-?\s*/?\s*(?:old|o)\b", _months),
    ("age_months", r"\b(\d{1,2})\s?(?P<unit>mo|/12|/52)\b", _months),
    (
        "age_months",
        r"\b(\d{1,3})\s*-?\s*(?:year|yr)?s?\s*-?\s*(?:m|f|male|female|man|woman|boy|girl|lady"
        r"|gentleman)\b",
        _months,
    ),
    (
        "gestation_weeks",
        r"\b(\d{1,2})\s*(?:\+\d)?\s*(?:/40|w(?:ee)?ks? (?:pregnant|gestation|along))",
        _within(3, 44),
    ),
    (
        "gestation_weeks",
        r"(?:^|(?<=[.,;]\s))([23]\d|4[01]) ?w(?:ee)?ks?\b(?! (?:old|ago|later|of|post))",
        _within(4, 43),
    ),
    ("hours", rf"\b{_NUMBER}\s*(hours?|hrs?|h|days?|d|weeks?|wks?)\b", _hours),
    (
        "tablets",
        rf"\b(\d{{2,3}})\s(?:\S+\s)?{_TABLETS}\s(?:worth|since|altogether|in total|in one go)\b",
        _count,
    ),
    ("pain_score", r"\b(\d{1,2})\s*(?:/|out of)\s*10\b", _within(0, 10)),
)
"""What begins with the number."""


@cache
def _by_first_word() -> dict[str, list[tuple[str, re.Pattern[str], _Value]]]:
    """The patterns by the word that they begin with; those that begin with a number under ""."""
    patterns: dict[str, list[tuple[str, re.Pattern[str], _Value]]] = {}
    for quantity, said, after, value in _AFTER_WORDS:
        pattern = re.compile(rf"(?:{said}){after}")
        for first in {split(one).words[0].text for one in said.split("|")}:
            patterns.setdefault(first, []).append((quantity, pattern, value))
    for quantity, at_number, value in _AT_NUMBERS:
        patterns.setdefault("", []).append((quantity, re.compile(at_number), value))
    return patterns
