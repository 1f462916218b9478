"""Features that are computed once, and computed anew where anything that decides them changed."""

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.features.cache import cache_key
from mmmsba_plugin.features.cached_walk import cache_inputs
from mmmsba_plugin.features.front_ends import BoundFrontEnd
from mmmsba_plugin.features.sync import SyncConfig
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import samples


def test_a_file_of_weights_that_changed_under_its_name_is_another_key(tmp_path):
    weights, media = tmp_path / "weights", samples.media(1.0)
    front_end = BoundFrontEnd(lookup("front_ends", "sync"), SyncConfig(weights=weights))

    def key(content):
        weights.write_bytes(content)
        return cache_key(cache_inputs(media, front_end, FeaturesConfig(), 0.0))

    assert key(b"one") != key(b"two")
    assert key(b"two") == key(b"two")
