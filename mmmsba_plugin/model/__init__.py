"""Rows of vectors become logits."""
