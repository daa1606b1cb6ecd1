"""`bedside report`: what a run's log says, for a person and for a spreadsheet."""
