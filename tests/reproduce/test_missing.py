"""Modalities are taken away from clips: wholly, or for one span of each."""

import numpy as np
import pytest

from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.reproduce.datasets import clips_to_test, open_datasets
from mmmsba_plugin.reproduce.missing import (
    Missing,
    PartialDetector,
    draw_spans,
    hide_spans,
)
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

AUDIO, FACES = ("audio",), ("face", "lips")


def clip_features(num_snippets=10):
    present = np.ones(num_snippets, dtype=bool)
    rows = {
        m: FeatureRows(np.ones((num_snippets, 2), np.float32), present) for m in ("audio", "face")
    }
    return ClipFeatures(Grid(stride_s=0.1), 0.1 * num_snippets, rows)


class TestDrawSpans:
    def test_a_modality_is_missing_from_end_to_end_unless_a_share_is_given(self):
        assert draw_spans(Missing((AUDIO,)), 7, seed=3) == {"audio": slice(0, 7)}

    def test_face_and_lips_are_missing_at_the_same_time(self):
        spans = draw_spans(Missing((AUDIO, FACES), share=0.5), 100, seed=1)
        assert spans["face"] == spans["lips"] != spans["audio"]

    def test_spans_have_the_share_and_lie_inside_the_clip(self):
        spans = [
            draw_spans(Missing((AUDIO,), share=0.5), 9, seed=seed)["audio"] for seed in range(50)
        ]
        assert {s.stop - s.start for s in spans} == {4}
        assert {s.start for s in spans} == set(range(6))

    def test_the_same_clip_loses_the_same_span(self):
        missing = Missing((AUDIO, FACES), share=0.5)
        assert draw_spans(missing, 40, seed=5) == draw_spans(missing, 40, seed=5)

    def test_a_clip_without_snippets_loses_nothing(self):
        assert draw_spans(Missing((AUDIO,)), 0, seed=0) == {"audio": slice(0, 0)}


class TestHideSpans:
    def test_hidden_snippets_are_zeros_that_are_not_present(self):
        hidden = hide_spans(clip_features(), {"audio": slice(2, 5)}).rows["audio"]
        assert np.flatnonzero(~hidden.present).tolist() == [2, 3, 4]
        assert not hidden.values[2:5].any()
        assert hidden.values[[0, 1, 5, 9]].all()

    def test_other_modalities_and_the_clip_itself_stay_as_they_are(self):
        features = clip_features()
        hidden = hide_spans(features, {"audio": slice(0, 10), "lips": slice(0, 10)})
        assert hidden.rows["face"] is features.rows["face"]
        assert features.rows["audio"].present.all()


@pytest.mark.story
class TestPartialDetector:
    @pytest.fixture
    def folder(self, everything):
        """The checkpoint of a network of all modalities."""
        return next((everything[0] / "runs").glob("*mmms-ba_face+lips+audio*"))

    @pytest.fixture
    def clip(self, datasets):
        source = open_datasets([datasets["fakeavceleb"]])["fakeavceleb"]
        return clips_to_test(source).records[0].media

    def test_a_clip_without_faces_is_scored_by_its_audio_alone(self, folder, clip, feature_cache):
        complete = MmmsbaDetector.from_pretrained(folder, cache=feature_cache).detect(clip)
        partial = PartialDetector.of_checkpoint(folder, Missing((FACES,)), cache=feature_cache)
        curves = partial.detect(clip).curves
        assert curves.score == curves.by_modality["audio"]
        assert curves.by_modality["audio"] == complete.curves.by_modality["audio"]

    def test_a_clip_with_nothing_left_is_abstained_from(self, folder, clip, feature_cache):
        nothing = Missing((AUDIO, FACES))
        partial = PartialDetector.of_checkpoint(folder, nothing, cache=feature_cache)
        assert partial.detect(clip).status == "abstained"
