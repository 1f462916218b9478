"""A reproduction in small: settings that train in no time, and the table with the fewest runs."""

import json
from pathlib import Path

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.reproduce.datasets import (
    open_datasets,
)
from mmmsba_plugin.reproduce.networks import Networks, Settings
from mmmsba_plugin.reproduce.run import Reproduction

TINY = {
    "network": {"gru_units": 4, "dense_units": 4},
    "train": {"max_epochs": 1, "batch_size": 8},
}

IDENTITIES = [f"id{number:05d}" for number in range(8)]


def only_table_4(out: Path, datasets, cache, **more) -> Reproduction:
    """Set up a reproduction of table 4 alone, which needs one dataset."""
    sources = open_datasets([datasets["fakeavceleb"]])
    settings = Settings(fit=FitConfig.read(TINY), seeds=(0,), num_resamples=0)
    return Reproduction(Networks(sources, settings, out, cache=cache, **more))


def read(out: Path, name: str) -> dict:
    """Read the JSON of a table."""
    return json.loads((out / f"{name}.json").read_text())
