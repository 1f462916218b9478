"""Tests of the details of a segment: its scores, mouths and audio, from the real file."""

import pytest

from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.panels.segment_details import details_of, stored_report
from fiftyone_ops.tasks.detect import annotate
from mmmsba_plugin.errors import MmmsbaError

from ..asking import TIMELINE, ask

FIELDS = Fields("forgeries")


def test_scores_are_the_highest_within_and_audio_is_shown_with_what_lies_around(fake):
    details = details_of(stored_report(fake, FIELDS), 0.5, 1.013)
    # The curves have a snippet each 0.5 s, and an opt-out of the lips from 1.5 s on.
    assert details.segment.scores == {"all together": 0.75, "audio": 0.75, "lips": 0.25}
    assert details.segment.start_s < 0.5
    assert details.segment.end_s > 1.013
    assert details.segment.spectrogram.startswith("data:image/jpeg")
    assert all(mouth.src is None for mouth in details.segment.mouths)


def test_mouths_are_cut_out_along_the_segment(talking_dataset, toy):
    annotate(talking_dataset.limit(1), detector=toy)
    details = details_of(stored_report(talking_dataset.first(), FIELDS), 0.5, 1.3)
    mouths = details.segment.mouths
    assert all(mouth.src.startswith("data:image/jpeg") for mouth in mouths)
    assert {mouth.is_within for mouth in mouths} == {True, False}


def test_what_was_never_evaluated_or_cannot_be_read_says_so(evaluated, fake):
    missing = evaluated.match_tags("not-readable").first()
    with pytest.raises(MmmsbaError, match=r"missing\.mp4"):
        details_of(stored_report(missing, FIELDS), 0.5, 1.0)
    fake.forgeries_verdict = None
    fake.save()
    response, _ = ask(TIMELINE, "details", evaluated, sample_id=fake.id, start_s=0.5, end_s=1.0)
    assert response == {
        "problem": "this clip was not evaluated, so nothing is known of its segments"
    }


def test_the_panel_asks_for_a_segment(evaluated, fake):
    response, _ = ask(TIMELINE, "details", evaluated, sample_id=fake.id, start_s=0.5, end_s=1.013)
    assert response["segment"]["scores"]["audio"] == 0.75
