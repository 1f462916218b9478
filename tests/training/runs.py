"""A run so small that a test can wait for it, and records that need no files."""

from pathlib import Path

from mmmsba_plugin.config import FitConfig, TrainConfig
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment

TINY = FitConfig(
    network={"gru_units": 12, "dense_units": 8}, train=TrainConfig(batch_size=8, max_epochs=2)
)


def record(identity: str, split: str | None = "train", *, fake: bool = False) -> Record:
    truth = (Segment(1.0, 2.0),) if fake else ()
    return Record(Path(f"{identity}.mp4"), truth=truth, split=split, identity=identity)
