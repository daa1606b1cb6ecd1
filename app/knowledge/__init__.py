"""What Bedside knows without the model: reference cards, and the index that finds passages."""
