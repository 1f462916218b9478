"""Adapters that let other toolkits call a detector, each in the shape that its host expects.

They take any detector that :func:`mmmsba_plugin.plugins.lookup` can load, by default our own. The
other way round, :mod:`mmmsba_plugin.adapter` makes a detector of segments of someone else's.
"""
