"""Tasks on a dataset: each can be called from Python and has an operator of its name."""
