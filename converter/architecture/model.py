"""A checkpoint as a family of models describes it: everything a GGUF file says but its words."""

from __future__ import annotations

from dataclasses import dataclass

from converter.architecture.weights import Weight
from converter.metadata import Field
from converter.quantise import ModelFacts


@dataclass(frozen=True, slots=True)
class Model:
    """What a family makes of a checkpoint: the one thing that the rest of the converter asks for.

    A family is a function from a Checkpoint to this, and one line in `architecture.describe`.
    """

    facts: ModelFacts
    fields: tuple[Field, ...]
    """The keys of the architecture, with the names and values of the stock converter."""
    weights: tuple[Weight, ...]
    """The tensors of the file, in the stock converter's order."""
    vocabulary_rows: int
    """Rows of the token embedding: how many tokens the vocabulary must have."""

    @property
    def parameters(self) -> int:
        """How many weights the file holds."""
        return sum(weight.elements for weight in self.weights)
