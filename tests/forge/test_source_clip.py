"""Stored face traces of source clips."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.forge.source_clip import FaceTraceStore, FrameCache, SourceClip, cut_audio
from mmmsba_plugin.forge.sources import find_sources
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe

from ..clips import number_of, numbered, numbered_frames
from .clips import RATE_HZ, UNTOUCHED


def test_a_trace_that_was_half_written_is_made_anew(real, tmp_path):
    (source, *_), _ = find_sources(real, seed=4, min_clip_s=1.0)
    store = FaceTraceStore(tmp_path, UNTOUCHED.tracks, 540)
    first = store.load(source)
    (path,) = tmp_path.rglob("*.npz")
    np.testing.assert_array_equal(store.load(source).points, first.points)
    path.write_bytes(path.read_bytes()[:1000])
    np.testing.assert_array_equal(store.load(source).points, first.points)


@pytest.fixture
def cache(tmp_path):
    write_clip(tmp_path / "a.mp4", numbered_frames(50), fps_hz=25, crf=10)
    return FrameCache(probe(tmp_path / "a.mp4"), max_short_side_px=540)


def source_clip_of(cache, num_frames=50):
    edges_s = np.arange(num_frames + 1) / 25
    points, to_face = np.zeros((num_frames, 468, 2), np.float32), np.zeros((num_frames, 2, 3))
    points[:, 0, 0] = np.arange(num_frames)
    face = FaceTrace(edges_s, np.zeros(num_frames, np.int64), points, to_face)
    audio = np.repeat(np.arange(num_frames, dtype=np.float32) / 100, 640)
    return SourceClip(cache, face, audio, Fraction(25), RATE_HZ)


def test_a_cut_takes_the_same_time_from_frames_audio_and_trace(cache):
    cut = source_clip_of(cache).without(range(20, 30))
    assert cut.duration_s == pytest.approx(1.6)
    assert cut.audio.size == 40 * 640
    left = [*range(20), *range(30, 50)]
    frames = list(cut.frames())
    assert [number_of(p.rgb) for p in frames] == left
    np.testing.assert_allclose([p.pts_s for p in frames], np.arange(40) / 25)
    np.testing.assert_allclose(cut.face.edges_s, np.arange(41) / 25)
    assert cut.face.points[:, 0, 0].tolist() == left
    audio = cut.audio[320::640]
    np.testing.assert_allclose(audio, np.array(left) / 100, atol=1e-6)


def test_no_segment_reaches_over_a_cut(cache):
    cut = source_clip_of(cache).without(range(20, 30))
    assert cut.face.runs_end.tolist() == [20] * 20 + [40] * 20


def test_a_clip_can_be_cut_again(cache):
    cut = source_clip_of(cache).without(range(20, 30)).without(range(5, 25)).without(range(10, 12))
    left = [*range(5), *range(35, 40), *range(42, 50)]
    assert [number_of(p.rgb) for p in cut.frames()] == left
    assert cut.face.points[:, 0, 0].tolist() == left
    assert cut.audio.size == len(left) * 640
    assert cut.cuts == (range(20, 30), range(5, 25), range(10, 12))


@given(st.integers(0, 2000), st.integers(1, 1000), st.integers(0, 400))
def test_a_joint_has_no_step(start, size, fade):
    times = np.arange(4000)
    audio = np.sin(times / 40).astype(np.float32)
    whole = cut_audio(audio, start, start + size, fade=fade)
    assert whole.size == audio.size - size
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[start:], audio[start + size :])
    used = min(fade, start, size)
    np.testing.assert_array_equal(whole[: start - used], audio[: start - used])
    if used > 100:
        assert np.abs(np.diff(whole)).max() < 0.08


def test_few_frames_are_decoded_once_and_many_each_time(tmp_path):
    path, size = tmp_path / "a.mp4", numbered(0).nbytes
    write_clip(path, (numbered(i) for i in range(10)), fps_hz=25)
    for max_bytes, again in ((10 * size, False), (10 * size - 1, True)):
        cache = FrameCache(probe(path), max_short_side_px=540, max_bytes=max_bytes)
        first, second, third = list(cache), list(cache), list(cache)
        assert [number_of(p.rgb) for p in first] == list(range(10))
        for decoded, again_1, again_2 in zip(first, second, third, strict=True):
            np.testing.assert_array_equal(decoded.rgb, again_1.rgb)
            # Decoded anew it is another array; kept it is the same.
            assert (again_1.rgb is again_2.rgb) != again
