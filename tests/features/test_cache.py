"""The cache of features and its keys."""

import math

import numpy as np
import pytest

from mmmsba_plugin.features.cache import CacheEntry, FeatureCache, cache_key
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import FeatureRows


def test_a_key_changes_with_everything_it_is_made_of():
    parts = {"media": "ab", "settings": {"a": 1}}
    assert cache_key(parts) == cache_key(dict(reversed(parts.items())))
    assert cache_key(parts) != cache_key({**parts, "media": "ac"})


@pytest.mark.parametrize("start_s", [0.0, 0.1, 1 / 3, math.inf])
def test_the_start_of_audio_is_read_as_it_was_written(tmp_path, start_s):
    cache = FeatureCache(tmp_path)
    assert cache.get_audio_start("abc") is None
    cache.put_audio_start("abc", start_s)
    assert cache.get_audio_start("abc") == start_s
    assert FeatureCache(tmp_path).get_audio_start("abd") is None


def test_a_damaged_start_of_audio_counts_as_absent(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put_audio_start("abc", 0.5)
    for file in tmp_path.rglob("abc*"):
        file.write_bytes(b"half")
    assert cache.get_audio_start("abc") is None


def test_an_entry_is_read_as_it_was_written(tmp_path):
    rows = FeatureRows(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([True, False, True]))
    opt_outs = (OptOut(start_s=0.1, end_s=0.2, reason="silence"),)
    FeatureCache(tmp_path).put("abc", CacheEntry(rows, opt_outs, 0.3, "over", ("a warning",)))
    entry = FeatureCache(tmp_path).get("abc")
    assert (entry.rows.values == rows.values).all()
    assert (entry.rows.present == rows.present).all()
    assert (entry.opt_outs, entry.end_s, entry.afterwards) == (opt_outs, 0.3, "over")
    assert entry.warnings == ("a warning",)
