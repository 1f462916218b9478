"""Fields, labels, runs and rows in a dataset, and their appearance."""
