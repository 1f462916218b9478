"""Readings of AV-Deepfake1M that must be without an error."""

from pathlib import Path

from mmmsba_plugin.datasets.avdeepfake1m import AvDeepfake1mConfig, read_avdeepfake1m
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.record import Record


def read(root: Path, on_error=refuse, **settings) -> list[Record]:
    """Read all records; the first error is raised unless a callback takes it."""
    return list(read_avdeepfake1m(AvDeepfake1mConfig(root=root, **settings), on_error))


def only_record(root: Path, **settings) -> Record:
    """Read the one record of a dataset whose clips need not exist."""
    (record,) = read(root, need_media=False, **settings)
    return record
