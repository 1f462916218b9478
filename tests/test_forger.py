"""Jobs of forgers, and what a forger needs."""

import numpy as np
import pytest

from mmmsba_plugin.forger import AudioForger, AudioJob, FaceFrame, FrameForger, needs_other_clip


class FrameForgerOfOneMethod:
    needs_donor = False

    def forge_frames(self, job, rng):
        return [frame.rgb for frame in job.frames]


def test_the_span_of_a_job_is_a_view_of_the_clip():
    audio = np.arange(10, dtype=np.float32)
    job = AudioJob(audio, 2, 5, 16_000)
    np.testing.assert_array_equal(job.span, [2, 3, 4])
    assert np.shares_memory(job.span, audio)


def test_a_face_frame_shows_its_time_and_size_and_not_its_pixels():
    frame = FaceFrame(1.5, np.zeros((48, 64, 3), np.uint8), np.zeros((468, 2)))
    assert repr(frame) == "FaceFrame(pts_s=1.500, 64x48)"


@pytest.mark.parametrize("needs", [True, False])
def test_a_forger_may_need_another_clip(needs):
    forger = FrameForgerOfOneMethod()
    assert not needs_other_clip(forger), "a forger without the property needs none"
    forger.needs_other_clip = needs
    assert needs_other_clip(forger) == needs


def test_a_forger_is_known_by_its_method():
    assert isinstance(FrameForgerOfOneMethod(), FrameForger)
    assert not isinstance(FrameForgerOfOneMethod(), AudioForger)
