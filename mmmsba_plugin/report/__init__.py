"""Segments become something to read."""
