"""Documents that people add: each form read into entries, strictly and within bounds."""
