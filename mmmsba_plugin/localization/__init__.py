"""Logits become segments."""
