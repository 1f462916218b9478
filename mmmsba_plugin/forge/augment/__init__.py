"""Augmentation: the processing that real and fake clips go through alike."""
