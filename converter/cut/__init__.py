"""The cut: what a model's parts do on given text, which of them stay, and the smaller model."""
