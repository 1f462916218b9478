"""Copies of a few frames and their audio from a similar moment."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.both.frame_copy import FrameCopy
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.plan import find_similar
from mmmsba_plugin.forger import (
    donor_distance_s,
    max_segment_s,
    needs_other_audio,
    needs_other_clip,
)
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import ForgerContract, samples

from ..clips import UNTOUCHED, face_at, metadata


class TestFrameCopyContract(ForgerContract):
    entry = lookup("forgers", "frame-copy")


def test_it_finds_its_donor_in_its_own_clip():
    forger = FrameCopy()
    assert (max_segment_s(forger), donor_distance_s(forger)) == (0.16, (0.5, 1.0))
    assert not needs_other_audio(forger)
    assert not needs_other_clip(forger)


def test_the_most_similar_moment_at_the_distance_is_found():
    face = face_at(range(75), 75)
    face.points[52:55] = face.points[30:33] + 0.01
    assert find_similar(face, range(30, 33), (0.5, 1.0)) == range(52, 55)
    # What is as alike but farther away, or nearer, is not taken.
    assert abs(find_similar(face, range(30, 33), (0.2, 0.4)).start - 30) <= 10
    assert not find_similar(face, range(30, 33), (3.0, 4.0))


def test_audio_is_copied_from_the_moment_of_the_frames():
    job = replace(samples.audio_job(), donor_start=2_000)
    new = FrameCopy().forge_audio(job, np.random.default_rng(0))
    copied = job.audio[2_000 : 2_000 + job.span.size]
    np.testing.assert_array_equal(new[100:-100], copied[100:-100])


def test_alone_it_copies_audio_with_a_similar_spectrum():
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.1, 64_000).astype(np.float32)
    rate_hz = samples.SAMPLE_RATE_HZ
    times_s = np.arange(64_000) / rate_hz
    for start_s in (2.0, 2.8):
        span = slice(int(start_s * rate_hz) - 4_000, int(start_s * rate_hz) + 6_000)
        audio[span] = 0.3 * np.sin(2 * np.pi * 300 * times_s[span])
    job = replace(samples.audio_job(), audio=audio, start=32_000, end=34_400)
    new = FrameCopy().forge_audio(job, rng)
    power = np.abs(np.fft.rfft(new[40:-40]))
    assert np.argmax(power) * rate_hz / (new.size - 80) == pytest.approx(300, abs=20)


def test_a_clip_that_is_too_short_is_refused():
    job = replace(samples.audio_job(), audio=samples.samples(0.6), start=3_200, end=6_400)
    with pytest.raises(ForgeError, match=r"no audio lies 0\.5 to 1 s"):
        FrameCopy().forge_audio(job, np.random.default_rng(0))


def test_its_segments_are_short(real, tmp_path):
    forgers = [lookup("forgers", "frame-copy")]
    options = {"per_clip": 3, "seed": 0, "split": "train", "config": UNTOUCHED}
    forge_dataset(real, tmp_path, forgers=forgers, **options)
    entries = [e for e in metadata(tmp_path) if e["n_fakes"]]
    lengths_s = [end - start for e in entries for start, end in e["fake_periods"]]
    assert lengths_s
    assert max(lengths_s) <= 0.16 + 0.04
    assert {e["modify_type"] for e in entries} == {
        "audio_modified", "visual_modified", "both_modified",
    }  # fmt: skip
