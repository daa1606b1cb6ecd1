"""The table that decides: a candidate beside every other file of the same model and its bytes."""
