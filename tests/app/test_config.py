from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config import Config, MonitorConfig, UiConfig, load_config, variable
from app.engine.messages import Sampling
from app.errors import BadInputError, BedsideError, UsageError

WHOLE = """
model = "llama-3.2-1b"
board = "pi5-4gb"
context = 1024

[ui]
emergency_number = "112"

[monitor]
log = false

[sampling]
temperature = 0
top_k = 20
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any settings file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "bedside"


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text)
    return path


def test_defaults_without_a_file(home: Path) -> None:
    config = load_config(None, {})
    assert config == Config()
    assert config.ui.emergency_number == ""
    assert not home.exists(), "reading makes no folder"


def test_a_whole_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, WHOLE), {})
    assert config == Config(
        model="llama-3.2-1b",
        board="pi5-4gb",
        context=1024,
        sampling=Sampling(temperature=0.0, top_k=20),
        monitor=MonitorConfig(log=False),
        ui=UiConfig(emergency_number="112"),
    )
    assert isinstance(config.sampling.temperature, float)


def test_a_known_table_may_be_empty(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "[ui]\n[sampling]\n"), {}) == Config()


def test_the_standard_file_is_found(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("context = 700")
    assert load_config(None, {}).context == 700


def test_a_variable_names_the_file(home: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "context = 800")
    assert load_config(None, {"BEDSIDE_CONFIG": str(path)}).context == 800
    other = tmp_path / "other.toml"
    other.write_text("context = 900")
    assert load_config(other, {"BEDSIDE_CONFIG": str(path)}).context == 900


def test_variables_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    environ = {
        "BEDSIDE_UI__EMERGENCY_NUMBER": "911",
        "BEDSIDE_CONTEXT": "2048",
        "BEDSIDE_MONITOR__LOG": "yes",
        "BEDSIDE_SAMPLING__TOP_P": "0.5",
        "HOME": "/nowhere",
    }
    config = load_config(path, environ, {"context": 3000, "model": None, "ui.crisis_line": "988"})
    assert config.ui == UiConfig("911", "988")
    assert config.monitor.log is True
    assert config.sampling.top_p == 0.5
    assert config.context == 3000
    assert config.model == "llama-3.2-1b", "an option that was not given changes nothing"


BAD = {
    "unknown key": ("ui.emergency_numbr = '1'", "Did you mean “ui.emergency_number”"),
    "unknown empty table": ("[uii]", "no setting “uii”"),
    "unknown empty table in a known one": ("[ui.kiosk]", "no setting “ui.kiosk”"),
    "empty table for a number": ("[sampling.temperature]", "must be a number"),
    "unknown table": ("[power]\nbudget = 5", "no setting “power.budget”"),
    "nothing near": ("zzzzzzzz = 1", "Take it out"),
    "text for a number": ("context = 'long'", "“context” .* must be a whole number"),
    "float for an int": ("context = 10.5", "must be a whole number"),
    "bool for an int": ("context = true", "must be a whole number"),
    "number for text": ("model = 5", "must be text in quotes"),
    "text for a bool": ("monitor.log = 'maybe'", "must be true or false"),
    "list for text": ("model = ['a']", "must be text"),
    "value for a table": ("ui = 3", "no setting “ui”"),
    "below the range": ("context = -1", "between 0 and"),
    "above the range": ("sampling.top_p = 1.5", "between 0 and 1"),
    "beyond all numbers": ("sampling.temperature = 1" + "0" * 400, "between 0 and 5"),
    "beyond all whole numbers": ("context = 1" + "0" * 400, "between 0 and"),
    "not a number": ("sampling.temperature = nan", "between 0 and 5"),
    "control characters": (r'ui.emergency_number = "112\u001b[2J"', "one line of plain text"),
    "two lines": (r'ui.emergency_number = "1\n2"', "one line of plain text"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_followed(tmp_path: Path, kind: str) -> None:
    text, sentence = BAD[kind]
    with pytest.raises(UsageError, match=sentence):
        load_config(written(tmp_path, text), {})


def test_unknown_and_bad_variables(home: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean “BEDSIDE_CONTEXT”"):
        load_config(None, {"BEDSIDE_CONTEXTS": "1"})
    with pytest.raises(UsageError, match=r"variable BEDSIDE_CONTEXT.* a whole number"):
        load_config(None, {"BEDSIDE_CONTEXT": "4k"})
    with pytest.raises(UsageError, match="true or false"):
        load_config(None, {"BEDSIDE_MONITOR__LOG": "perhaps"})


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        load_config(tmp_path / "missing.toml", {})
    with pytest.raises(BadInputError, match="cannot be read"):
        load_config(tmp_path, {})
    with pytest.raises(BadInputError, match=r"no valid TOML.*line 1"):
        load_config(written(tmp_path, "model: x"), {})
    with pytest.raises(BadInputError, match="too large"):
        load_config(written(tmp_path, "#" * 2_000_000), {})
    (tmp_path / "latin.toml").write_bytes(b"model = '\xe9'")
    with pytest.raises(BadInputError, match="no UTF-8"):
        load_config(tmp_path / "latin.toml", {})


def test_the_name_of_a_variable() -> None:
    assert variable("ui.emergency_number") == "BEDSIDE_UI__EMERGENCY_NUMBER"
    assert variable("model") == "BEDSIDE_MODEL"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_config(path, {})
    except BedsideError as error:
        assert "\x1b" not in str(error)
