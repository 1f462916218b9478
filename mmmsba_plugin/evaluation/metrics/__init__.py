"""Metrics of detection and localization, on arrays."""
