"""One turn as an async stream of events: what every screen reads, and nothing else."""
