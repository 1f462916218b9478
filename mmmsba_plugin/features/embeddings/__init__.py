"""Embeddings of encoders that ship with the package."""
