"""The converter: from a checkpoint to the GGUF file that fits a board; no PyTorch, no GPU."""
