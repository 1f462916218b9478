"""Tests of the selection of samples: videos are found, and anything else is refused in words."""

import fiftyone as fo
import pytest

from fiftyone_ops.errors import TargetError
from fiftyone_ops.tasks.detect import annotate


def test_frames_and_emptiness_are_refused_in_words(toy):
    frames = fo.Dataset()
    with pytest.raises(TargetError, match="add videos to it first"):
        annotate(frames, detector=toy)
    frames.add_sample(fo.Sample(filepath="face.png"))
    with pytest.raises(TargetError, match="holds samples of media type 'image'"):
        annotate(frames, detector=toy)
    frames.delete()


def test_a_view_of_nothing_is_refused_in_words(named_dataset, toy):
    with pytest.raises(TargetError, match="clear its filters"):
        annotate(named_dataset.match_tags("none"), detector=toy)


def test_clips_stand_for_the_videos_they_were_cut_from(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    clips = named_dataset.to_clips("forgeries")
    summary = annotate(clips, detector=toy, existing="overwrite")
    assert (summary.total, summary.verdicts["fake"]) == (2, 2)
