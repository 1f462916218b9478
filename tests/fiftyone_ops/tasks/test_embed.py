"""Tests of embeddings: by the real network, into a field, and compared by FiftyOne's Brain."""

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_ops.errors import FieldTakenError
from fiftyone_ops.tasks.embed import embed, embedding_of
from mmmsba_plugin.errors import CapabilityError

FIELD = "forgery_embedding"

#: Warnings of FiftyOne's Brain, which are not for us to mend.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture
def clips(talking_dataset):
    """Four of the talking head's clips."""
    talking_dataset.delete_samples(talking_dataset.skip(4))
    return talking_dataset


def test_the_embedding_of_a_clip_is_the_mean_of_those_of_its_snippets(clips, detector):
    path = clips.first().filepath
    windows = list(detector.explain(path))
    snippets = np.concatenate([window.embeddings for window in windows])
    is_evaluated = ~np.isnan(np.concatenate([window.scores for window in windows]))
    expected = snippets[is_evaluated].mean(axis=0)
    np.testing.assert_allclose(embedding_of(detector, path), expected, rtol=1e-5)


def test_clips_are_embedded_compared_and_drawn_and_again_only_what_is_new(clips, checkpoint):
    summary = embed(clips.limit(3), checkpoint=str(checkpoint))
    assert (summary.num_embedded, summary.failed) == (3, {})
    assert summary.brain_keys == [f"{FIELD}_similarity", f"{FIELD}_map"]
    points = clips.load_brain_results(f"{FIELD}_map").points
    assert points.shape == (3, 2)
    assert np.ptp(points, axis=0).min() >= 0

    again = embed(clips, checkpoint=str(checkpoint))
    assert (again.num_embedded, again.num_before) == (1, 3)
    assert str(again) == (f"1 clips embedded, 3 before; see {FIELD}_similarity, {FIELD}_map")
    first = clips.first()
    nearest = clips.sort_by_similarity(first.id, brain_key=f"{FIELD}_similarity")
    assert len(nearest) == 4
    assert nearest.first().id == first.id


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(clips, checkpoint, tmp_path):
    clips.add_sample(fo.Sample(filepath=str(tmp_path / "gone.mp4")))
    summary = embed(clips, checkpoint=str(checkpoint), similarity=False, visualization=False)
    assert (summary.num_embedded, list(summary.failed)) == (4, [str(tmp_path / "gone.mp4")])
    assert "there is no file" in next(iter(summary.failed.values()))
    assert clips.list_brain_runs() == []


def test_a_detector_that_tells_its_scores_alone_is_refused(named_dataset, toy):
    with pytest.raises(CapabilityError, match="toy keeps its embeddings to itself"):
        embed(named_dataset, detector=toy)


def test_somebody_elses_field_is_left_alone(clips, checkpoint):
    clips.add_sample_field(FIELD, fo.VectorField)
    with pytest.raises(FieldTakenError, match="that no run of ours made"):
        embed(clips, checkpoint=str(checkpoint))
