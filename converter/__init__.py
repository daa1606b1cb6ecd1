"""The converter: from a checkpoint to the GGUF file that fits a board, with no PyTorch and no GPU."""
