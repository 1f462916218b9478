"""Labels are placed by the clock of the file, or by what FiftyOne knows of it."""

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_ops.dataset import clock
from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.encode import write_clip

from ...clips import clip, frames_at, numbered_frames

VFR_S = [0.0, 0.1, 0.2, 0.3, 0.7, 0.8, 1.4, 1.5]


def test_frames_have_the_times_that_the_file_states(tmp_path):
    path = tmp_path / "vfr.mp4"
    write_clip(path, frames_at(VFR_S), fps_hz=10)
    assert np.allclose(clock.clock_of(str(path)).starts_s, VFR_S, atol=1e-3)


def test_the_metadata_place_labels_of_a_file_that_is_missing(tmp_path):
    missing = str(tmp_path / "missing.mp4")
    metadata = fo.VideoMetadata(frame_rate=20.0, total_frame_count=4)
    assert clock.clock_of(missing, metadata).starts_s == pytest.approx([0.0, 0.05, 0.1, 0.15])
    with pytest.raises(MediaUnreadableError, match="cannot be placed in time without it"):
        clock.clock_of(missing)


def test_the_clip_may_start_later_than_its_file_and_at_zero_where_nothing_plays(tmp_path):
    late = tmp_path / "late.mkv"
    write_clip(late, numbered_frames(20, start_s=0.72), fps_hz=25)
    assert clock.zero_of(str(late)) == pytest.approx(0.72, abs=1e-3)
    assert clock.zero_of(str(tmp_path / "missing.mp4")) == 0.0


def test_a_file_is_read_once_and_only_if_asked(tmp_path):
    path = clip(tmp_path / "clip.mp4")
    read = clock.lazily(str(path))
    first = read()
    path.unlink()
    assert read() is first
