"""Decisions are kept beside predictions, with who and when, and can be taken back."""

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.dataset.records import is_finished
from fiftyone_ops.dataset.runs import fields_of_run
from fiftyone_ops.errors import FieldTakenError, TargetError
from fiftyone_ops.panels.timeline_data import clip_of
from fiftyone_ops.settings import DetectSettings
from fiftyone_ops.tasks.detect import DetectTask, annotate
from fiftyone_ops.tasks.review.decide import decide
from fiftyone_ops.tasks.review.queue import queue
from mmmsba_plugin.schema import FakeSegment

from ...dataset.test_runs import rename
from ...toy_detector import Toy


class Retrained(Toy):
    """The toy with other weights: it places the segment otherwise, and may find a second."""

    def __init__(self, *spans_s: tuple[float, float], modality: str = "audio") -> None:
        super().__init__(version=2)
        self.segments = tuple(
            FakeSegment(start_s=start_s, end_s=end_s, score=0.75, modality=modality)
            for start_s, end_s in spans_s
        )

    def _values(self, name: str) -> dict:
        values = super()._values(name)
        return {**values, "segments": self.segments if values["segments"] else ()}


def run_again(dataset: fo.Dataset, detector: Toy, **settings) -> None:
    DetectTask(dataset, DetectSettings(existing="overwrite", **settings), detector).run()


def timeline(dataset: fo.Dataset, sample_id: str, field: str = "forgeries"):
    """Return the timeline of a clip, as the panel shows it."""
    dataset.reload()
    fields = fields_of_run(dataset, field)
    return clip_of(dataset[sample_id], fields, truth_field=None)


def decisions(clip) -> list[tuple[float, str]]:
    """Return the start and the decision of each prediction that was decided."""
    decided = clip.review.decided
    return [(s.start_s, decided[s.id]) for s in clip.predicted if s.id in decided]


def confirmed(clip) -> list[tuple]:
    """Return the confirmed segments, and the start of the prediction that each is about."""
    starts = {segment.id: segment.start_s for segment in clip.predicted}
    return [(s.label, s.start_s, s.end_s, starts.get(s.source)) for s in clip.reviewed]


def stood_by(dataset: fo.Dataset, sample_id: str) -> list[tuple]:
    sample = dataset[sample_id]
    return [
        (label.label, label.start_s, label.end_s) for label in sample.forgeries_reviewed.detections
    ]


def test_without_a_name_it_is_whoever_is_logged_in(evaluated, fake, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    decide(evaluated, fake.id, action="accept")
    assert evaluated[fake.id].forgeries_review.by == "grace"


def test_a_field_of_somebody_else_is_not_reviewed_into(evaluated, fake):
    evaluated.add_sample_field("forgeries_reviewed", fo.StringField)
    with pytest.raises(FieldTakenError, match="'forgeries_reviewed' that no run of"):
        decide(evaluated, fake.id, action="accept")


def test_a_decision_about_something_missing_is_refused(evaluated, dataset):
    with pytest.raises(TargetError, match="no predictions in 'none' to review"):
        decide(evaluated, evaluated.first().id, label_field="none", action="accept")
    with pytest.raises(TargetError, match="has no sample 'gone'"):
        decide(evaluated, "gone", action="accept")


@pytest.fixture
def moved(evaluated, fake):
    """A fake clip whose segment a person confirmed, and moved to 0.6 to 1.0 s."""
    (predicted,) = fake.forgeries.detections
    change = {"label_id": predicted.id, "start_s": 0.6, "end_s": 1.0}
    decide(evaluated, fake.id, action="adjust", by="ada", **change)
    return fake


def test_decisions_survive_overwriting(evaluated, moved, toy):
    annotate(evaluated, detector=toy, existing="overwrite")
    clip = timeline(evaluated, moved.id)
    assert (confirmed(clip), decisions(clip)) == (
        [("audio", 0.6, 1.0, 0.5)],
        [(0.5, "accepted")],
    )
    # Nothing changed, so nobody need look again.
    assert list(queue(evaluated, "changed")) == []


@pytest.mark.parametrize("field", ["forgeries", "newer"])
def test_decisions_survive_another_checkpoint(evaluated, moved, field):
    run_again(evaluated, Retrained((0.55, 0.95), (1.2, 1.8)), label_field=field)
    clip = timeline(evaluated, moved.id, field)
    assert confirmed(clip) == [("audio", 0.6, 1.0, 0.55)]
    assert decisions(clip) == [(0.55, "accepted")]
    assert (clip.review.label, clip.review.by) == ("fake", "ada")
    assert "changed since this review was ended" in clip.warnings[0]
    assert queue(evaluated, "changed", label_field=field).values("id") == [moved.id]
    assert moved.id in queue(evaluated, "uncertain", label_field=field).values("id")
    # What is new is decided, and the clip leaves the queue for good, whichever run is looked at.
    state = decide(evaluated, moved.id, label_field=field, action="finish")
    assert (state.label, len(state.segments)) == ("fake", 1)
    for run in {"forgeries", field}:
        assert list(queue(evaluated, "changed", label_field=run)) == []


def test_what_was_rejected_stays_so_and_no_more(evaluated, fake):
    decide(evaluated, fake.id, action="finish", by="ada")
    run_again(evaluated, Retrained((0.55, 1.0), (1.2, 1.8)))
    assert decisions(timeline(evaluated, fake.id)) == [(0.55, "rejected")]
    # The same time by another modality is another claim.
    run_again(evaluated, Retrained((0.55, 1.0), modality="visual"))
    assert decisions(timeline(evaluated, fake.id)) == []
    assert queue(evaluated, "changed").values("id") == [fake.id]


def test_what_was_confirmed_and_is_no_longer_predicted_can_still_be_changed(evaluated, moved):
    run_again(evaluated, Retrained((1.5, 1.8)))
    clip = timeline(evaluated, moved.id)
    assert confirmed(clip) == [("audio", 0.6, 1.0, None)]
    own = clip.reviewed[0].id
    decide(evaluated, moved.id, action="adjust", label_id=own, end_s=1.1)
    assert stood_by(evaluated, moved.id) == [("audio", 0.6, 1.1)]
    assert decide(evaluated, moved.id, action="reject", label_id=own).segments == []
    # Predicted anew it is known as rejected, and undone as confirmed.
    run_again(evaluated, Retrained((0.5, 1.0)))
    assert decisions(timeline(evaluated, moved.id)) == [(0.5, "rejected")]
    decide(evaluated, moved.id, action="undo")
    assert confirmed(timeline(evaluated, moved.id)) == [("audio", 0.6, 1.1, 0.5)]


def test_what_was_missed_is_accepted_where_a_later_run_finds_it(evaluated, fake):
    decide(evaluated, fake.id, action="add", start_s=1.2, end_s=1.8, modality="audio")
    decide(evaluated, fake.id, action="finish")
    run_again(evaluated, Retrained((1.25, 1.8)))
    assert confirmed(timeline(evaluated, fake.id)) == [("audio", 1.2, 1.8, 1.25)]


def test_decisions_survive_renaming(evaluated, moved, toy):
    rename(evaluated, "forgeries", "renamed")
    clip = timeline(evaluated, moved.id, "renamed")
    assert confirmed(clip) == [("audio", 0.6, 1.0, 0.5)]
    state = decide(evaluated, moved.id, label_field="renamed", action="reject", by="bob")
    assert (state.label, state.undecided) == ("fake", [])
    fields = {"forgeries_reviewed": "renamed_reviewed", "forgeries_review": "renamed_review"}
    evaluated.rename_sample_fields(fields)
    assert confirmed(timeline(evaluated, moved.id, "renamed")) == [("audio", 0.6, 1.0, 0.5)]
    (predicted,) = evaluated[moved.id].renamed.detections
    state = decide(
        evaluated, moved.id, label_field="renamed", action="reject", label_id=predicted.id
    )
    assert (state.label, state.segments) == ("real", [])


def test_decisions_survive_deleting_the_run_and_what_it_wrote(evaluated, moved, toy):
    for run in evaluated.list_runs():
        evaluated.delete_run(run)
    assert confirmed(timeline(evaluated, moved.id)) == [("audio", 0.6, 1.0, 0.5)]
    evaluated.delete_sample_fields(list(Fields("forgeries").predicted))
    clip = timeline(evaluated, moved.id)
    assert (clip.predicted, clip.review.label, clip.warnings) == ((), "fake", ())
    assert confirmed(clip) == [("audio", 0.6, 1.0, None)]
    own = clip.reviewed[0].id
    decide(evaluated, moved.id, action="relabel", label_id=own, modality="both")
    annotate(evaluated, detector=toy)
    clip = timeline(evaluated, moved.id)
    assert confirmed(clip) == [("both", 0.6, 1.0, 0.5)]
    assert list(queue(evaluated, "changed")) == []


def test_a_clip_that_could_be_read_after_all_comes_back(evaluated, named_clips):
    sample = evaluated.match(fo.ViewField("filepath").ends_with("raises.mp4")).first()
    decide(evaluated, sample.id, action="unreadable")
    sample.filepath = str(named_clips[2])
    sample.save()
    run_again(evaluated, Toy(version=2))
    assert queue(evaluated, "changed").values("id") == [sample.id]


def as_before(dataset: fo.Dataset, sample_id: str) -> None:
    """Write a review as version 0.1 did: predictions decided by their ids alone."""
    review = dataset[sample_id].forgeries_review
    review.rejected = review.snapshots = None
    for before in (decision["before"] for decision in review.history):
        before["decided"] = {values["source"]: "rejected" for values in before.pop("rejected")}
    dataset.select([sample_id]).set_values("forgeries_review", [review])


def test_reviews_of_earlier_versions_are_read_and_kept(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    decide(evaluated, fake.id, action="reject", label_id=predicted.id, by="ada")
    as_before(evaluated, fake.id)
    assert decisions(timeline(evaluated, fake.id)) == [(0.5, "rejected")]
    assert list(queue(evaluated, "changed")) == []
    run_again(evaluated, Retrained((0.55, 1.0)))
    assert decisions(timeline(evaluated, fake.id)) == [(0.55, "rejected")]
    assert queue(evaluated, "changed").values("id") == [fake.id]
    review = evaluated[fake.id].forgeries_review
    assert (review.label, review.by, len(review.history)) == ("real", "ada", 1)
    assert decide(evaluated, fake.id, action="undo").label == "open"


def test_reviews_with_former_words_count_as_ended_and_a_run_renames_them(evaluated, fake, toy):
    decide(evaluated, fake.id, action="accept")
    real = evaluated.match(F("filepath").ends_with("genuine-1.mp4")).first()
    decide(evaluated, real.id, action="finish")
    ids, path = [fake.id, real.id], "forgeries_review.label"
    assert evaluated.select(ids, ordered=True).values(path) == ["fake", "real"]
    evaluated.select(ids, ordered=True).set_values(path, ["forged", "genuine"])
    assert timeline(evaluated, real.id).review.label == "real"
    ended = evaluated.match(is_finished(Fields("forgeries")))
    assert set(ended.values("id")) == set(ids)
    annotate(evaluated, detector=toy, existing="skip")
    assert evaluated.select(ids, ordered=True).values(path) == ["fake", "real"]


def test_reviews_of_earlier_versions_come_back_where_ids_are_new(evaluated, fake):
    decide(evaluated, fake.id, action="finish")
    sample = evaluated[fake.id]
    as_before(evaluated, fake.id)
    sample.reload()
    sample.forgeries = fo.TemporalDetections(
        detections=[fo.TemporalDetection(label="audio", support=[1, 5], start_s=0.0, end_s=0.2)]
    )
    sample.save()
    assert queue(evaluated, "changed").values("id") == [fake.id]
    assert timeline(evaluated, fake.id).warnings[0].startswith("the predictions changed")


def test_notes_and_rejections_outlive_the_predictions_that_they_are_about(evaluated, fake):
    (predicted,) = fake.forgeries.detections
    decide(evaluated, fake.id, action="note", label_id=predicted.id, note="the jaw jumps")
    decide(evaluated, fake.id, action="reject", by="ada")
    run_again(evaluated, Retrained((0.55, 1.0)))
    clip = timeline(evaluated, fake.id)
    (again,) = clip.predicted
    assert (clip.review.notes, clip.rejected) == ({again.id: "the jaw jumps"}, ())
    run_again(evaluated, Retrained((1.4, 1.8)))
    clip = timeline(evaluated, fake.id)
    assert clip.review.notes == {}
    assert [(segment.start_s, segment.end_s) for segment in clip.rejected] == [(0.5, 1.013)]


def test_a_note_does_not_say_that_changed_predictions_were_seen(evaluated, fake):
    decide(evaluated, fake.id, action="finish", by="ada")
    run_again(evaluated, Retrained((1.4, 1.8)))
    (again,) = evaluated[fake.id].forgeries.detections
    decide(evaluated, fake.id, action="note", label_id=again.id, note="look at this")
    assert [sample.id for sample in queue(evaluated, "changed")] == [fake.id]
