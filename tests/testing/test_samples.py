"""Sample frames, audio, jobs and reports that the contracts are fed with."""

from typing import get_args

import numpy as np
import pytest

from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Report, Status
from mmmsba_plugin.testing import samples
from mmmsba_plugin.tracks.mesh import apply_affine


@pytest.mark.parametrize("block_s", [0.07, 0.25, 9.0])
def test_blocks_of_audio_are_the_whole_of_it(block_s):
    blocks = samples.audio(2.0, block_s=block_s)
    np.testing.assert_array_equal(
        np.concatenate([block.samples for block in blocks]), samples.samples(2.0)
    )
    ends_s = np.cumsum([block.samples.size for block in blocks]) / samples.SAMPLE_RATE_HZ
    assert [block.start_s for block in blocks] == pytest.approx([0.0, *ends_s[:-1]])


def test_a_face_opens_and_shuts_its_mouth_and_its_maps_agree():
    faces = samples.faces(1.0)
    opening = [np.ptp(face.points[[13, 14], 1]) for face in faces]
    assert max(opening) > 3 * min(opening)
    for face in faces:
        np.testing.assert_array_equal(face.lips, face.face[64:, 16:112])
        corner_px = np.array(face.box_xyxy_px[:2])
        # From the frame's own pixels to the frame, and to the face cut: the same point.
        in_native = apply_affine(face.to_native, face.points)
        in_face = apply_affine(face.to_face, in_native + corner_px)
        np.testing.assert_allclose(in_face, face.points, atol=1e-9)


def test_frames_are_those_of_the_faces():
    for frame, face in zip(samples.frames(0.4), samples.faces(0.4), strict=True):
        assert frame.pts_s == face.pts_s
        np.testing.assert_array_equal(frame.rgb, face.face)


def test_nothing_that_is_lent_can_be_written_to():
    job, frame_job = samples.audio_job(), samples.frame_job()
    arrays = [job.audio, job.donor, frame_job.frames[0].rgb, frame_job.donors[0].points_px]
    for array in arrays:
        assert not array.flags.writeable


def test_jobs_bring_as_many_donors_as_frames():
    job = samples.frame_job(5)
    assert len(job.frames) == len(job.donors) == len(job.other_clip_donors) == 5
    assert samples.audio_job().span.size == samples.SAMPLE_RATE_HZ


@pytest.mark.parametrize("status", get_args(Status))
def test_a_report_of_each_status_survives_json(status):
    report = samples.report(status, "a.mp4")
    assert (report.status, report.media.path) == (status, "a.mp4")
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_a_clip_lasts_what_was_asked(tmp_path):
    media = probe(samples.clip(tmp_path / "a.mp4", duration_s=1.2))
    assert len(list(FrameReader(media))) == 30
    assert read_audio(media).samples.std() > 0.05
