"""What a dataset holds of ours: fields, labels, runs and rows, and how they look."""
