"""Fixtures for the tests of training: a tiny run on talking heads."""

import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.training.data import (
    Source,
)
from mmmsba_plugin.training.fit import fit

from .runs import TINY


@pytest.fixture(scope="session")
def source(tmp_path_factory) -> Source:
    cache = FeatureCache(tmp_path_factory.mktemp("features"))
    return Source(bind_front_ends(TINY.features), TINY.features, cache)


@pytest.fixture(scope="session")
def fitted(talking_head_dataset, source, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "checkpoint"
    return fit(
        read_lavdf(talking_head_dataset), TINY, out, cache=source.cache, trained_on="a talking head"
    )
