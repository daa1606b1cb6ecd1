"""How well a model answers multiple-choice questions, beside what guessing would give."""
