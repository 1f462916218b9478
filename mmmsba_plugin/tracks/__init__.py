"""Frames become people: found, followed, and cut out steadily."""
