"""Decisions are kept beside predictions, with who and when, and can be taken back."""

import fiftyone as fo
import pytest

from fiftyone_ops.errors import FieldTakenError, TargetError
from fiftyone_ops.tasks.review import decide
from mmmsba_plugin.timebase import FrameClock

CLOCK = FrameClock.steady(50, fps_hz=25)


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
