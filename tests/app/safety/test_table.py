"""Figures over a table of sentences."""

from __future__ import annotations

import pytest

from app.safety.table import COLUMNS, parse, score
from tests.app.safety.rulebooks import small

HEADER = "\t".join(COLUMNS)
TABLE = f"""{HEADER}
call\tpatient\tpatient\tmy chest hurts\t
call\tpatient\trelative\tdad is grey\tknown_miss: no sign
today\tclinician\tclinician\tdiabetic, fever\t
today\tpatient\tpatient\tfever and my chest hurts\t
none\tpatient\tpatient\tthanks\t
none\tpatient\tpatient\tchest pain in my dad's story\t

"""


def test_the_figures() -> None:
    scored = score(parse(TABLE), small())
    assert scored.recall("call") == 0.5 and scored.recall("today") == 1.0
    assert scored.recall("crisis") is None
    assert scored.found_in("none", "call") == 1 and scored.found_in("today", "call") == 1
    assert [one.row.line for one in scored.results if one.missed] == [3]
    assert [one.row.line for one in scored.results if one.false_alarm] == [5, 7]
    assert scored.results[1].row.known_miss and not scored.results[0].row.known_miss


@pytest.mark.parametrize(
    "text",
    ["", "expect,mode", f"{HEADER}\ncall\tpatient\tx", f"{HEADER}\nloud\tpatient\tx\ty\t"],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        parse(text)
