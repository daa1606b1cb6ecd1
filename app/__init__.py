"""Bedside: a private medical assistant that runs on a small board with no network."""
