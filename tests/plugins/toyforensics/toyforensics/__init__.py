"""Judges clips by how suddenly their loudness changes."""
