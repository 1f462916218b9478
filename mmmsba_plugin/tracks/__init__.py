"""Detect faces in frames, link them to tracks, and crop them steadily."""
