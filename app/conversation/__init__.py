"""What was asked and answered, what of it the model still sees, and how it is exported."""
