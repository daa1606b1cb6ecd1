"""`bedside bench`: how fast this board answers and what it takes, measured and not guessed."""
