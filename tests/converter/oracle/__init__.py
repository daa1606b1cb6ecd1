"""Forward passes written from the papers, to check that a converted file is still its model."""
