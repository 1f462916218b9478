"""Records that a test makes up."""

from pathlib import Path

from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment


def record(name, split="train", *, fake=False, identity=None, **more):
    truth = (Segment(0.0, 1.0),) if fake else ()
    media = Path("/dataset") / name
    return Record(media, truth=truth, split=split, identity=identity, key=name, **more)
