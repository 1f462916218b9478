"""Tests of what each decision does to a sample, and how it is taken back."""

from datetime import UTC, datetime, timedelta

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.errors import TargetError
from fiftyone_ops.tasks.review.decide import decide, start_review
from mmmsba_plugin.errors import ConfigError, SegmentError


def stood_by(dataset: fo.Dataset, sample_id: str) -> list[tuple]:
    sample = dataset[sample_id]
    return [
        (label.label, label.start_s, label.end_s) for label in sample.forgeries_reviewed.detections
    ]


def test_what_is_accepted_is_stood_by_and_says_who_and_when(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    state = decide(evaluated, fake.id, action="accept", label_id=predicted.id, by="ada")
    assert (state.label, state.undecided) == ("fake", [])
    (confirmed,) = evaluated[fake.id].forgeries_reviewed.detections
    assert (confirmed.label, confirmed.start_s, confirmed.end_s) == ("audio", 0.5, 1.013)
    assert (confirmed.source, confirmed.by) == (predicted.id, "ada")
    assert datetime.now(UTC) - confirmed.at.replace(tzinfo=UTC) < timedelta(minutes=5)
    review = evaluated[fake.id].forgeries_review
    assert (review.label, review.by, review.history[0]["action"]) == ("fake", "ada", "accept")


def test_what_is_rejected_leaves_a_real_sample_and_the_prediction_as_it_was(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    state = decide(evaluated, fake.id, action="reject", label_id=predicted.id, by="ada")
    assert (state.label, state.segments) == ("real", [])
    assert evaluated[fake.id].forgeries.detections[0].id == predicted.id
    assert evaluated[fake.id].forgeries_review.decided == {predicted.id: "rejected"}


def test_a_segment_is_moved_and_renamed_to_the_exact_second(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    decide(evaluated, fake.id, action="adjust", label_id=predicted.id, start_s=0.613)
    state = decide(evaluated, fake.id, action="relabel", label_id=predicted.id, modality="both")
    assert stood_by(evaluated, fake.id) == [("both", 0.613, 1.013)]
    own = state.segments[0]["id"]
    decide(evaluated, fake.id, action="adjust", label_id=own, end_s=1.5)
    assert stood_by(evaluated, fake.id) == [("both", 0.613, 1.5)]
    assert evaluated[fake.id].forgeries_reviewed.detections[0].support == [16, 38]


def test_what_was_missed_is_added_and_can_be_removed(evaluated):
    sample = evaluated.match(F("forgeries_verdict.label") == "not flagged").first()
    state = decide(evaluated, sample.id, action="add", start_s=1.0, end_s=1.25, modality="visual")
    assert (state.label, stood_by(evaluated, sample.id)) == ("fake", [("visual", 1.0, 1.25)])
    state = decide(evaluated, sample.id, action="reject", label_id=state.segments[0]["id"])
    assert (state.label, state.segments) == ("real", [])


def test_adding_leaves_predictions_to_decide(evaluated, fake):
    state = decide(evaluated, fake.id, action="add", start_s=1.5, end_s=1.75)
    assert (state.label, len(state.undecided)) == ("open", 1)
    assert decide(evaluated, fake.id, action="finish").label == "fake"


def test_finishing_a_sample_of_which_nothing_was_accepted_says_real(evaluated, fake):
    assert decide(evaluated, fake.id, action="finish").label == "real"


@pytest.mark.parametrize(
    ("action", "label"), [("cannot_tell", "cannot tell"), ("unreadable", "unreadable")]
)
def test_a_review_can_end_without_a_ground_truth(evaluated, fake, action, label):
    assert decide(evaluated, fake.id, action=action).label == label
    assert evaluated[fake.id].forgeries_review.label == label
    # Until something is decided after all.
    assert decide(evaluated, fake.id, action="accept").label == "fake"
    assert decide(evaluated, fake.id, action="undo").label == label
    assert decide(evaluated, fake.id, action="undo").label == "open"


@pytest.mark.parametrize("verdict", ["abstained", "error"])
def test_what_has_no_score_never_becomes_real(evaluated, verdict):
    sample = evaluated.match(F("forgeries_verdict.label") == verdict).first()
    with pytest.raises(TargetError, match="cannot be finished as real"):
        decide(evaluated, sample.id, action="finish")
    assert decide(evaluated, sample.id, action="accept").label == "open"
    # What a person added makes it fake, and taken out again leaves it open.
    state = decide(evaluated, sample.id, action="add", start_s=1.0, end_s=1.25)
    assert (state.label, decide(evaluated, sample.id, action="finish").label) == ("fake",) * 2
    added = state.segments[0]["id"]
    assert decide(evaluated, sample.id, action="reject", label_id=added).label == "open"


def test_every_decision_can_be_taken_back(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    decide(evaluated, fake.id, action="accept")
    decide(evaluated, fake.id, action="adjust", label_id=predicted.id, start_s=0.75)
    decide(evaluated, fake.id, action="undo")
    assert stood_by(evaluated, fake.id) == [("audio", 0.5, 1.013)]
    assert decide(evaluated, fake.id, action="undo").label == "open"
    assert stood_by(evaluated, fake.id) == []
    with pytest.raises(TargetError, match="nothing was decided"):
        decide(evaluated, fake.id, action="undo")


@pytest.mark.parametrize(
    ("decision", "error", "message"),
    [
        ({"action": "accept", "label_id": "none"}, TargetError, "has no segment 'none'"),
        ({"action": "adjust"}, TargetError, "has no segment None"),
        ({"action": "add", "start_s": 1.0}, SegmentError, "needs start_s and end_s"),
        ({"action": "add", "start_s": 1.0, "end_s": 0.5}, SegmentError, "end"),
        ({"action": "relabel"}, TargetError, "say what was altered"),
        ({"action": "forget"}, ConfigError, "action"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    evaluated, fake, decision, error, message
):
    start_review(evaluated)
    with pytest.raises(error, match=message):
        decide(evaluated, fake.id, **decision)
    assert evaluated[fake.id].forgeries_review is None


def test_a_note_is_kept_decides_nothing_and_is_taken_back(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    state = decide(evaluated, fake.id, action="note", label_id=predicted.id, note="the jaw jumps")
    assert (state.label, state.undecided) == ("open", [predicted.id])
    assert state.notes == {predicted.id: "the jaw jumps"}
    assert decide(evaluated, fake.id, action="accept").notes == state.notes
    again = decide(evaluated, fake.id, action="note", label_id=predicted.id, note="lips, too")
    assert again.notes == {predicted.id: "lips, too"}
    assert decide(evaluated, fake.id, action="undo").notes == state.notes
    assert decide(evaluated, fake.id, action="note", label_id=predicted.id).notes == {}


def test_a_note_on_a_segment_that_was_added_goes_by_its_own_name(evaluated, fake):
    decide(evaluated, fake.id, action="add", start_s=1.2, end_s=1.6, modality="both")
    added = evaluated[fake.id].forgeries_reviewed.detections[0].id
    state = decide(evaluated, fake.id, action="note", label_id=added, note="missed")
    assert state.notes == {added: "missed"}
    with pytest.raises(TargetError, match="no segment 'nobody'"):
        decide(evaluated, fake.id, action="note", label_id="nobody", note="x")


def test_a_note_does_not_end_what_nobody_can_tell(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    decide(evaluated, fake.id, action="cannot_tell")
    state = decide(evaluated, fake.id, action="note", label_id=predicted.id, note="blurred")
    assert state.label == "cannot tell"
