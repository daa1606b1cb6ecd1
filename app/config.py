"""Every setting, in one tree: from a TOML file, then `BEDSIDE_*` variables, then options.

A key `emergency_number` in the table `[ui]` is the variable `BEDSIDE_UI__EMERGENCY_NUMBER` and,
in messages and options, `ui.emergency_number`.
"""

from __future__ import annotations

import dataclasses
import difflib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from app.engine.messages import Sampling
from app.errors import UsageError
from app.folders import Folders
from app.sanitise import one_line
from app.toml_file import read_toml

PREFIX = "BEDSIDE_"
CONFIG_VARIABLE = "BEDSIDE_CONFIG"
"""Names the settings file itself, where no option does."""


@dataclass(frozen=True, slots=True)
class UiConfig:
    """What the screen shows."""

    emergency_number: str = ""
    """Number for the notice line, as `112`. Never guessed from a locale: empty reads “your local
    emergency number”."""
    crisis_line: str = ""
    """Number of a line for people in a mental crisis; empty names none."""
    mode: str = "patient"
    """`patient` or `clinician`: who reads the screen. A clinician gets a red flag as one line and
    the passage before the model's text."""
    kiosk_idle_s: int = 300
    """Seconds without a key after which the kiosk begins to count down to its wipe."""
    kiosk_pin_hash: str = ""
    """What `bedside kiosk pin` makes of the digits that unlock the kiosk's screen; empty has no
    lock."""
    kiosk_pin: str = ""
    """The digits themselves, as older settings hold them; `kiosk_pin_hash` goes before it."""


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """What is measured and kept."""

    log: bool = True
    """Write a log of every run (counts and times, never words) into the state folder."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. Each default is what a person gets who writes no file."""

    model: str = ""
    """Name from `bedside models list`, or a path to a .gguf file; empty takes the shipped one."""
    models_folder: str = ""
    """Folder with `catalog.toml` and the shipped models; empty takes the installed one."""
    board: str = ""
    """Board profile, as `pi5-8gb`; empty finds out."""
    context: int = 0
    """Tokens that the model sees at once; 0 takes the board profile's."""
    sampling: Sampling = field(default_factory=Sampling)
    """How the next token is chosen."""
    monitor: MonitorConfig = field(default_factory=MonitorConfig)
    ui: UiConfig = field(default_factory=UiConfig)


_RANGES: Mapping[str, tuple[float, float]] = {
    "context": (0, 1_048_576),
    "ui.kiosk_idle_s": (30, 86_400),
    "sampling.temperature": (0, 5),
    "sampling.top_k": (0, 1_000_000),
    "sampling.top_p": (0, 1),
    "sampling.min_p": (0, 1),
    "sampling.repeat_penalty": (0.5, 3),
    "sampling.repeat_window": (0, 65536),
    "sampling.max_tokens": (1, 65536),
    "sampling.seed": (0, 2**32 - 1),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {"ui.mode": ("patient", "clinician")}
_LONGEST_TEXT = 4096
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text in quotes"}
_TRUTH = {"true": True, "yes": True, "on": True, "1": True}
_TRUTH |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class _Given:
    """A value somebody set, and where, so that a complaint can say it."""

    value: object
    where: str


def load_config(
    path: Path | None,
    environ: Mapping[str, str],
    options: Mapping[str, object] | None = None,
) -> Config:
    """Reads the settings: the file, over it the variables, over them the options.

    Args:
        path: the file that a person named; it must exist. None takes the one that
            `BEDSIDE_CONFIG` names, else `config.toml` in the config folder where there is one.
        environ: the environment; only `BEDSIDE_*` is looked at.
        options: by dotted key, as `{"ui.emergency_number": "112"}`; None values are left out.

    Raises:
        BadInputError: the file cannot be read or is no TOML.
        UsageError: an unknown key or a value that does not fit; the sentence names the key.
    """
    kinds = dict(_leaves(Config))
    given = _from_file(path, environ) | _from_environ(environ, kinds)
    given |= {
        key: _Given(value, "option") for key, value in (options or {}).items() if value is not None
    }
    for key, one in given.items():
        if key not in kinds:
            raise _unknown(key, one.where, kinds)
    checked = {key: _checked(key, one, kinds[key]) for key, one in given.items()}
    return _build(checked)


def settings_file(named: Path | None, environ: Mapping[str, str]) -> Path:
    """Where the settings stand, or would: the file that was named, else `BEDSIDE_CONFIG`'s, else
    the user's own."""
    if named is not None:
        return named
    other = environ.get(CONFIG_VARIABLE)
    return Path(other) if other else Folders.standard().config / "config.toml"


def variable(key: str) -> str:
    """The environment variable of a dotted key: `BEDSIDE_UI__EMERGENCY_NUMBER`."""
    return PREFIX + key.replace(".", "__").upper()


def _leaves(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, type[Any]]]:
    """Dotted key and type of every setting in the tree."""
    hints = get_type_hints(kind)
    for one in dataclasses.fields(kind):
        hint = hints[one.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _leaves(hint, f"{prefix}{one.name}.")
        else:
            yield prefix + one.name, hint


def _from_file(path: Path | None, environ: Mapping[str, str]) -> dict[str, _Given]:
    meant = path is not None or bool(environ.get(CONFIG_VARIABLE))
    path = settings_file(path, environ)
    if not meant and not path.exists():
        return {}
    where = one_line(str(path))
    tables = _tables()
    return {
        key: _Given(value, where)
        for key, value in _flat(read_toml(path))
        if value != {} or key not in tables
    }


def _tables() -> set[str]:
    """The names of the tables, which may stand empty in a file."""
    return {key.rpartition(".")[0] for key, _ in _leaves(Config)} - {""}


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted keys with their values; a table without any is a value itself."""
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _from_environ(environ: Mapping[str, str], kinds: Mapping[str, type[Any]]) -> dict[str, _Given]:
    given = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        key = name.removeprefix(PREFIX).lower().replace("__", ".")
        if key not in kinds:
            raise _unknown(key, "the environment", kinds, name)
        given[key] = _Given(_from_text(text, kinds[key]), f"the variable {name}")
    return given


def _from_text(text: str, kind: type[Any]) -> object:
    """What a variable's text means for a setting of this type; text that means nothing stays."""
    if kind is bool:
        return _TRUTH.get(text.strip().lower(), text)
    if kind is str:
        return text
    try:
        return kind(text)
    except ValueError:
        return text


def _checked(key: str, given: _Given, kind: type[Any]) -> object:
    value = given.value
    if type(value) is not kind and (type(value), kind) != (int, float):
        raise UsageError(f"The setting “{key}” ({given.where}) must be {_WORDS[kind]}.")
    if isinstance(value, str) and not (value.isprintable() and len(value) <= _LONGEST_TEXT):
        raise UsageError(f"The setting “{key}” ({given.where}) must be one line of plain text.")
    if key in _CHOICES and value not in _CHOICES[key]:
        choices = " or ".join(_CHOICES[key])
        raise UsageError(f"The setting “{key}” ({given.where}) must be {choices}.")
    low, high = _RANGES.get(key, (-sys.float_info.max, sys.float_info.max))
    if isinstance(value, int | float) and not low <= value <= high:
        raise UsageError(
            f"The setting “{key}” ({given.where}) must be between {low:g} and {high:g}."
        )
    return float(value) if kind is float and isinstance(value, int) else value


def _unknown(
    key: str, where: str, kinds: Mapping[str, type[Any]], name: str | None = None
) -> UsageError:
    """The complaint about a key that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(key, kinds, n=1, cutoff=0.5)
    spelled = [variable(one) if name else one for one in near]
    advice = f"Did you mean “{spelled[0]}”?" if spelled else "Take it out."
    return UsageError(f"There is no setting “{one_line(name or key, 80)}” ({where}). {advice}")


def _build(values: Mapping[str, object]) -> Config:
    """The tree from dotted keys; what nobody set keeps its default."""
    branches: dict[str, dict[str, object]] = {}
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        branch, dot, leaf = key.partition(".")
        if dot:
            branches.setdefault(branch, {})[leaf] = value
        else:
            leaves[key] = value
    default = Config()
    for branch, found in branches.items():
        leaves[branch] = dataclasses.replace(getattr(default, branch), **found)
    return dataclasses.replace(default, **leaves)
