"""Tests of the queues of a review: order, and what waits."""

import fiftyone as fo
import pytest

from fiftyone_ops.dataset import labels
from fiftyone_ops.tasks.review.decide import decide
from fiftyone_ops.tasks.review.queue import REASONS, queue, waiting
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(50, fps_hz=25)


def name_of(sample: fo.Sample) -> str:
    return sample.filename.removesuffix(".mp4")


@pytest.fixture
def scored(evaluated):
    """Scores at known distances from the threshold of 0.5, and a truth for two samples."""
    scores = {"forged-1": 0.9, "forged-2": 0.6, "genuine-1": 0.45, "genuine-2": 0.1}
    for sample in evaluated.exists("forgeries_verdict.confidence"):
        sample.forgeries_verdict.confidence = scores[name_of(sample)]
        if name_of(sample) == "forged-1":
            sample.forgeries_verdict.score_audio = 0.95
        if name_of(sample) in ("genuine-1", "forged-2"):
            segments = [labels.detection(Segment(0.5, 1.0), CLOCK, label="audio")]
            sample["ground_truth"] = fo.TemporalDetections(detections=segments)
        sample.save()
    return evaluated


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("uncertain", ["genuine-1", "forged-2"]),
        ("unlabelled", ["forged-1"]),
        ("missed", ["genuine-1"]),
        ("disagree", ["forged-1", "forged-2"]),
        ("not_evaluated", ["raises", "missing", "nobody"]),
    ],
)
def test_the_most_telling_come_first(scored, reason, expected):
    assert [name_of(sample) for sample in queue(scored, reason)] == expected


@pytest.mark.parametrize("action", ["finish", "cannot_tell", "unreadable"])
def test_what_was_reviewed_leaves_it(scored, action):
    first = queue(scored, "uncertain").first()
    decide(scored, first.id, action=action)
    assert first.id not in queue(scored, "uncertain").values("id")


def test_without_a_truth_nothing_was_missed_and_all_is_unlabelled(evaluated):
    assert waiting(evaluated) == {
        "uncertain": 4,
        "unlabelled": 2,
        "missed": 0,
        "disagree": 2,
        "not_evaluated": 3,
        "changed": 0,
    }
    assert set(REASONS) == set(waiting(evaluated))


def test_modalities_disagree_whichever_a_detector_has(evaluated):
    samples = evaluated.exists("forgeries_verdict.confidence")
    for sample, scores in zip(
        samples,
        [
            {"score_text": 0.9, "score_audio": 0.3, "score_lips": None},
            {"score_text": 0.95, "score_audio": 0.1, "score_lips": 0.2},
            {"score_text": 0.4, "score_audio": 0.5, "score_lips": None},
            {"score_text": None, "score_audio": 0.9, "score_lips": None},
        ],
        strict=True,
    ):
        for attribute, score in scores.items():
            sample.forgeries_verdict[attribute] = score
        sample.save()
    in_order = queue(evaluated, "disagree").values("id")
    assert in_order == [samples.values("id")[1], samples.values("id")[0]]


def test_a_reason_that_there_is_not_is_refused(evaluated):
    with pytest.raises(KeyError, match="boring"):
        queue(evaluated, "boring")
