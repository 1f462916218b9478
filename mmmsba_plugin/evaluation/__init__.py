"""Evaluation of detection and localization."""
