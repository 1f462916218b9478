"""Talking-head clips, synthesized for the demo and the tests."""
