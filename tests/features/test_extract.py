"""People and audio become rows of vectors on one grid."""

import numpy as np
import pytest

from mmmsba_plugin.config import FeaturesConfig, FrontEndChoice
from mmmsba_plugin.errors import ConfigError, FeatureError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.extract import extract
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.features.log_mel import LogMel
from mmmsba_plugin.features.walk import NO_AUDIO_STREAM
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import FeatureRows


class TestExtract:
    def features_of(self, clip, cache=None, **changes):
        config = FeaturesConfig(**changes)
        return extract(probe(clip), bind_front_ends(config), config, cache=cache)

    def test_all_modalities_lie_on_one_grid(self, talking_clip):
        features = self.features_of(talking_clip)
        assert {len(rows) for rows in features.rows.values()} == {features.num_snippets}
        assert all(rows.present.mean() > 0.95 for rows in features.rows.values())
        assert list(features.rows) == ["face", "audio", "lips"]

    def test_a_silent_clip_opts_out_of_audio_with_the_reason(self, silent_clip):
        features = self.features_of(silent_clip)
        [opt_out] = features.opt_outs["audio"]
        assert opt_out == OptOut(start_s=0.0, end_s=features.end_s, reason=NO_AUDIO_STREAM)
        assert not features.rows["audio"].present.any()
        assert features.rows["lips"].present.any()

    def test_kept_rows_are_the_rows_that_were_computed(self, tmp_path, talking_clip):
        cache = FeatureCache(tmp_path)
        first = self.features_of(talking_clip, cache)
        second = self.features_of(talking_clip, cache)
        for modality, rows in first.rows.items():
            assert (second.rows[modality].values == rows.values).all()
        assert second.opt_outs == first.opt_outs
        assert second.end_s == first.end_s

    def test_a_kept_row_is_not_computed_again(self, tmp_path, talking_clip, monkeypatch):
        cache = FeatureCache(tmp_path)
        self.features_of(talking_clip, cache)
        monkeypatch.setattr("mmmsba_plugin.media.video.FrameReader.__iter__", None)
        monkeypatch.setattr("mmmsba_plugin.media.audio.AudioReader.__iter__", None)
        self.features_of(talking_clip, cache)

    def test_another_stride_is_another_key(self, tmp_path, talking_clip):
        cache = FeatureCache(tmp_path)
        fine = self.features_of(talking_clip, cache, stride_s=0.04)
        coarse = self.features_of(talking_clip, cache, stride_s=0.2)
        assert fine.num_snippets > 4 * coarse.num_snippets

    def test_a_damaged_file_in_the_cache_counts_as_absent(self, tmp_path, talking_clip):
        cache = FeatureCache(tmp_path)
        first = self.features_of(talking_clip, cache)
        for file in tmp_path.rglob("*.safetensors"):
            file.write_bytes(file.read_bytes()[:100])
        again = self.features_of(talking_clip, cache)
        assert (again.rows["audio"].values == first.rows["audio"].values).all()

    def test_a_front_end_that_returns_too_few_rows_is_named(self, talking_clip, monkeypatch):
        monkeypatch.setattr(
            LogMel, "finish", lambda *_: FeatureRows(np.zeros((1, 2), np.float32), np.ones(1, bool))
        )
        with pytest.raises(FeatureError, match=r"LogMel returned 1 rows for .* one row a snippet"):
            self.features_of(talking_clip)


def test_a_front_end_setting_that_is_misspelt_is_refused():
    choice = FrontEndChoice(name="log-mel", settings={"num_mel": 40})
    with pytest.raises(ConfigError, match=r"num_mel.*Allowed keys: num_mels"):
        bind_front_ends(FeaturesConfig(front_ends={"audio": choice}))
