"""llama.cpp in a process of its own: requests in, events out."""
