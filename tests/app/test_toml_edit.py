"""One line of somebody's settings changes, and every other byte stays."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, UsageError
from app.toml_edit import set_texts, with_texts
from app.toml_file import parse_toml

BOTH: dict[str, str | None] = {"pin_hash": "h", "pin": None}


def edited(text: str) -> str:
    return with_texts(text, "own.toml", "ui", BOTH)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[ui]\npin_hash = "h"\n'),
        ("a = 1", 'a = 1\n\n[ui]\npin_hash = "h"\n'),
        ("[ui]", '[ui]\npin_hash = "h"\n'),
        (
            '# mine\n[ui]  # the screen\npin = "1"\n  pin_hash="old"\nmode = "x" # why\n\n[a]\nb=1',
            '# mine\n[ui]  # the screen\npin_hash = "h"\nmode = "x" # why\n\n[a]\nb=1\n',
        ),
        ('[a]\npin = "theirs"\n', '[a]\npin = "theirs"\n\n[ui]\npin_hash = "h"\n'),
        ("[ui]\r\nmode = 'x'\r\n", "[ui]\npin_hash = \"h\"\nmode = 'x'\r\n"),
    ],
)
def test_the_line_is_written_and_the_rest_stays(before: str, after: str) -> None:
    assert edited(before).replace("[ui]\r\n", "[ui]\n") == after


def test_a_value_is_taken_out() -> None:
    nothing = {"pin_hash": None, "pin": None}
    text = '[ui]\npin_hash = "h"\nmode = "x"\n'
    assert with_texts(text, "own.toml", "ui", nothing) == '[ui]\nmode = "x"\n'
    assert with_texts("a = 1\n", "own.toml", "ui", nothing) == "a = 1\n"


@pytest.mark.parametrize(
    "before",
    [
        'ui = {pin = "1"}\n',
        'ui.pin = "1"\n',
        '["ui"]\npin = "1"\n',
        'text = """\n[ui]\n"""\n',
        '[ui]\npin = """\n1"""\n',
    ],
)
def test_what_cannot_be_found_is_refused_with_what_to_write(before: str) -> None:
    with pytest.raises(
        UsageError, match=r'own\.toml .*Under \[ui\] there must stand pin_hash = "h"'
    ):
        edited(before)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[ui\n")
    with pytest.raises(BadInputError, match="no valid TOML"):
        set_texts(path, "ui", BOTH)
    assert path.read_text() == "[ui\n"


_LINES = st.sampled_from(
    ["[ui]", "[a]", "[[b]]", 'pin = "1"', "pin_hash = '2'", "x = [", "]", '"""', "#", "c = 3", ""]
)


@given(st.lists(_LINES, max_size=9))
def test_whatever_stands_there_the_result_is_right_or_refused(lines: list[str]) -> None:
    before = "\n".join(lines)
    try:
        tables = dict(parse_toml(before, "own.toml"))
        after = parse_toml(edited(before), "own.toml")
    except (BadInputError, UsageError):
        return
    inner = tables.pop("ui", {})
    assert isinstance(inner, dict)
    rest = {key: value for key, value in inner.items() if key not in BOTH}
    assert after == {**tables, "ui": {**rest, "pin_hash": "h"}}


def test_a_new_file_is_the_owners_alone_and_an_old_one_keeps_its_permissions(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new" / "own.toml"
    set_texts(path, "ui", BOTH)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    set_texts(path, "ui", {"pin_hash": None})
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert path.stat().st_uid == os.getuid()
    assert [one.name for one in path.parent.iterdir()] == ["own.toml"]
