"""One model's answers to one set, with everything needed to ask again: what reports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from converter.census import Census
from converter.evaluate.outcome import Outcome

Mode = Literal["letter", "text", "write"]
"""How a model is asked: by the likelihood of each option's letter (of the word itself where the
options are yes, no and maybe), by that of each option's text, or by letting it write."""
Passages = Literal["published", "none", "reference"]
"""What is put before a question to lean on: what was published with it, nothing, or the passages
that a file of retrieved ones holds for it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a set is asked: all that changes an answer, besides the model and the data."""

    mode: Mode = "letter"
    normalised: bool = True
    """In the mode `text`: whether an option's score is divided by its bytes."""
    template: bool = True
    """Whether the model's chat template is used, where it has one."""
    passages: Passages = "published"
    shots: int = 0
    """Worked examples before each question."""
    system: str = ""
    """The system message, where the template is used; empty for none."""
    limit: int = 0
    """Questions at most, drawn by the seed; 0 for all."""
    seed: int = 0
    """Decides which questions are drawn, and which examples."""
    context: int = 0
    """Tokens at most; 0 for what the model was trained on."""
    write_tokens: int = 64
    """In the mode `write`: tokens at most that the model writes."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model made of a set of questions."""

    task: str
    labels: tuple[str, ...]
    by_label: bool
    model: str
    """The file's name, without its folder."""
    model_sha256: str
    census: Census
    data_sha256: str
    """Of the set, as `QuestionSet` has it."""
    train_sha256: str
    """Of the set that the worked examples come from; empty without any."""
    passages_sha256: str
    """Of the file of retrieved passages; empty without one."""
    available: int
    """Questions in the set, of which `outcomes` holds those that were drawn."""
    settings: Settings
    """As they took effect: without what the file or the set has none of (`Prompts.applied`)."""
    context: int
    """Tokens that a question with its longest option had room in."""
    template: str
    """Where the chat template came from, in words, or that none was used."""
    versions: Mapping[str, str]
    """Of what computed the numbers, by name."""
    seconds: float
    """Of wall clock, over all sittings. The only value here that differs from run to run."""
    outcomes: tuple[Outcome, ...]
    """In the order of the set."""

    @property
    def mode(self) -> Mode:
        """How the model was asked."""
        return self.settings.mode

    @property
    def normalised(self) -> bool:
        """Whether the scores that decided are divided by bytes."""
        return self.settings.mode == "text" and self.settings.normalised
