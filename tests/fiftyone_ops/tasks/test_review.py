"""Decisions are kept beside predictions, with who and when, and can be taken back."""

from datetime import UTC, datetime, timedelta

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone import ViewField as F

from fiftyone_ops import labels
from fiftyone_ops.errors import FieldTakenError, TargetError
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.review import decide, start_review
from fiftyone_ops.tasks.review_queue import REASONS, queue, waiting
from mmmsba_plugin.errors import ConfigError, SegmentError
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(50, fps_hz=25)


@pytest.fixture
def judged(named_dataset, toy):
    """What the toy detector says of the small videos."""
    annotate(named_dataset, detector=toy)
    return named_dataset


@pytest.fixture
def fake(judged):
    """A sample with one predicted segment, 0.5 to 1.013 s of audio."""
    return judged.match(F("forgeries_verdict.label") == "forged").first()


def stood_by(dataset: fo.Dataset, sample_id: str) -> list[tuple]:
    sample = dataset[sample_id]
    return [(one.label, one.start_s, one.end_s) for one in sample.forgeries_reviewed.detections]


def test_what_is_accepted_is_stood_by_and_says_who_and_when(judged, fake):
    (predicted,) = fake.forgeries.detections
    told = decide(judged, fake.id, action="accept", label_id=predicted.id, by="ada")
    assert (told.label, told.undecided) == ("forged", [])
    (kept,) = judged[fake.id].forgeries_reviewed.detections
    assert (kept.label, kept.start_s, kept.end_s) == ("audio", 0.5, 1.013)
    assert (kept.source, kept.by) == (predicted.id, "ada")
    assert datetime.now(UTC) - kept.at.replace(tzinfo=UTC) < timedelta(minutes=5)
    review = judged[fake.id].forgeries_review
    assert (review.label, review.by, review.history[0]["action"]) == ("forged", "ada", "accept")


def test_what_is_rejected_leaves_a_real_sample_and_the_prediction_as_it_was(judged, fake):
    (predicted,) = fake.forgeries.detections
    told = decide(judged, fake.id, action="reject", label_id=predicted.id, by="ada")
    assert (told.label, told.segments) == ("genuine", [])
    assert judged[fake.id].forgeries.detections[0].id == predicted.id
    assert judged[fake.id].forgeries_review.decided == {predicted.id: "rejected"}


def test_a_segment_is_moved_and_renamed_to_the_exact_second(judged, fake):
    (predicted,) = fake.forgeries.detections
    decide(judged, fake.id, action="adjust", label_id=predicted.id, start_s=0.613)
    told = decide(judged, fake.id, action="relabel", label_id=predicted.id, modality="both")
    assert stood_by(judged, fake.id) == [("both", 0.613, 1.013)]
    own = told.segments[0]["id"]
    decide(judged, fake.id, action="adjust", label_id=own, end_s=1.5)
    assert stood_by(judged, fake.id) == [("both", 0.613, 1.5)]
    assert judged[fake.id].forgeries_reviewed.detections[0].support == [16, 38]


def test_what_was_missed_is_added_and_can_be_removed(judged):
    sample = judged.match(F("forgeries_verdict.label") == "genuine").first()
    told = decide(judged, sample.id, action="add", start_s=1.0, end_s=1.25, modality="visual")
    assert (told.label, stood_by(judged, sample.id)) == ("forged", [("visual", 1.0, 1.25)])
    told = decide(judged, sample.id, action="reject", label_id=told.segments[0]["id"])
    assert (told.label, told.segments) == ("genuine", [])


def test_adding_leaves_predictions_to_decide(judged, fake):
    told = decide(judged, fake.id, action="add", start_s=1.5, end_s=1.75)
    assert (told.label, len(told.undecided)) == ("open", 1)
    assert decide(judged, fake.id, action="finish").label == "forged"


def test_finishing_a_sample_of_which_nothing_was_accepted_says_real(judged, fake):
    assert decide(judged, fake.id, action="finish").label == "genuine"


def test_every_decision_can_be_taken_back(judged, fake):
    (predicted,) = fake.forgeries.detections
    decide(judged, fake.id, action="accept")
    decide(judged, fake.id, action="adjust", label_id=predicted.id, start_s=0.75)
    decide(judged, fake.id, action="undo")
    assert stood_by(judged, fake.id) == [("audio", 0.5, 1.013)]
    assert decide(judged, fake.id, action="undo").label == "open"
    assert stood_by(judged, fake.id) == []
    with pytest.raises(TargetError, match="nothing was decided about this sample yet"):
        decide(judged, fake.id, action="undo")


def test_without_a_name_it_is_whoever_is_logged_in(judged, fake, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    decide(judged, fake.id, action="accept")
    assert judged[fake.id].forgeries_review.by == "grace"


@pytest.mark.parametrize(
    ("decision", "error", "said"),
    [
        ({"action": "accept", "label_id": "none"}, TargetError, "has no segment 'none'"),
        ({"action": "adjust"}, TargetError, "has no segment None"),
        ({"action": "add", "start_s": 1.0}, SegmentError, "needs start_s and end_s"),
        ({"action": "add", "start_s": 1.0, "end_s": 0.5}, SegmentError, "end"),
        ({"action": "relabel"}, TargetError, "say what was altered"),
        ({"action": "forget"}, ConfigError, "action"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(judged, fake, decision, error, said):
    start_review(judged)
    with pytest.raises(error, match=said):
        decide(judged, fake.id, **decision)
    assert judged[fake.id].forgeries_review is None


def test_a_field_of_somebody_else_is_not_reviewed_into(judged, fake):
    judged.add_sample_field("forgeries_reviewed", fo.StringField)
    with pytest.raises(FieldTakenError, match="'forgeries_reviewed' that no run of ours made"):
        decide(judged, fake.id, action="accept")


def test_what_is_not_there_is_said(judged, dataset):
    with pytest.raises(TargetError, match="no predictions in 'none' to review"):
        decide(judged, judged.first().id, label_field="none", action="accept")
    with pytest.raises(TargetError, match="has no sample 'gone'"):
        decide(judged, "gone", action="accept")


class TestTheQueue:
    @pytest.fixture
    def scored(self, judged):
        """Scores at known distances from the line of 0.5, and a truth for two samples."""
        scores = {"forged-1": 0.9, "forged-2": 0.6, "genuine-1": 0.45, "genuine-2": 0.1}
        for sample in judged.exists("forgeries_verdict.confidence"):
            sample.forgeries_verdict.confidence = scores[self.name(sample)]
            if self.name(sample) == "forged-1":
                sample.forgeries_verdict.score_audio = 0.95
            if self.name(sample) in ("genuine-1", "forged-2"):
                told = [labels.detection(Segment(0.5, 1.0), CLOCK, label="audio")]
                sample["ground_truth"] = fo.TemporalDetections(detections=told)
            sample.save()
        return judged

    @staticmethod
    def name(sample) -> str:
        return sample.filename.removesuffix(".mp4")

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            ("uncertain", ["genuine-1", "forged-2", "forged-1", "genuine-2"]),
            ("unlabelled", ["forged-1"]),
            ("missed", ["genuine-1"]),
            ("disagree", ["forged-1", "forged-2"]),
        ],
    )
    def test_the_most_telling_come_first(self, scored, reason, expected):
        assert [self.name(sample) for sample in queue(scored, reason)] == expected

    def test_what_was_reviewed_leaves_it(self, scored):
        first = queue(scored, "uncertain").first()
        decide(scored, first.id, action="finish")
        assert first.id not in queue(scored, "uncertain").values("id")

    def test_without_a_truth_nothing_was_missed_and_all_is_unlabelled(self, judged):
        assert waiting(judged) == {"uncertain": 4, "unlabelled": 2, "missed": 0, "disagree": 2}
        assert set(REASONS) == set(waiting(judged))

    def test_the_operator_saves_it_as_a_view_and_says_how_many_wait(self, scored):
        operator = foo.get_operator("@mmmsba/fiftyone_ops/review_forgeries")
        result = operator(scored, reason="missed").result
        assert (result["view"], result["queued"]) == ("review-missed", 1)
        assert scored.load_saved_view("review-missed").count() == 1

    def test_the_operator_that_decides_predictions_with_how_the_sample_stands(self, judged, fake):
        operator = foo.get_operator("@mmmsba/fiftyone_ops/decide_forgery")
        result = operator(judged, fake.id, action="accept", by="ada").result
        assert (result["label"], result["segments"][0]["by"]) == ("forged", "ada")
