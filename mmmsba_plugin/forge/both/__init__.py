"""Forgers that alter the audio and the frames of a segment together."""
