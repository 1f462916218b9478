"""Cuts from a real clip to the fake that a generator made of it."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.both.counterpart_cut import CounterpartCut, CounterpartCutConfig
from mmmsba_plugin.forger import needs_counterpart
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import ForgerContract, samples


class TestCounterpartContract(ForgerContract):
    entry = lookup("forgers", "counterpart")


def forge(job, seed=0, **config):
    forger = CounterpartCut(CounterpartCutConfig(**config))
    return forger.forge_frames(job, np.random.default_rng(seed))


def test_it_says_that_it_needs_a_counterpart():
    assert needs_counterpart(CounterpartCut())
    assert not CounterpartCut().needs_donor


def test_a_cut_shows_the_fake_from_the_first_frame_to_the_last():
    job = samples.frame_job()
    fake = forge(job, area="frame", max_dissolve=0)
    for rgb, other in zip(fake, job.counterpart, strict=True):
        np.testing.assert_array_equal(rgb, other.rgb)


def test_frames_dissolve_at_both_ends_and_each_is_altered():
    job = samples.frame_job(num_frames=12)
    lengths = set()
    for seed in range(20):
        fake = forge(job, seed=seed, area="frame", max_dissolve=2)
        same = [np.array_equal(f, o.rgb) for f, o in zip(fake, job.counterpart, strict=True)]
        assert not any(np.array_equal(f, s.rgb) for f, s in zip(fake, job.frames, strict=True))
        first = same.index(True)
        assert same == [False] * first + [True] * (12 - 2 * first) + [False] * first
        lengths.add(first)
    assert lengths == {0, 1, 2}


def test_a_cut_of_the_face_leaves_the_rest_of_the_frame(talking):
    frames, face = talking
    shots = [face.face_frame(i, frames[i]) for i in range(20, 24)]
    others = [replace(s, rgb=255 - s.rgb) for s in shots]
    job = replace(samples.frame_job(4), frames=shots, counterpart=others)
    for rgb, shot, other in zip(
        forge(job, area="face", max_dissolve=0), shots, others, strict=True
    ):
        x, y = shot.points_px.mean(axis=0).astype(int)
        np.testing.assert_array_equal(rgb[y, x], other.rgb[y, x])
        low, high = shot.points_px.min(axis=0), shot.points_px.max(axis=0)
        margin = 0.35 * (high - low)
        left, top = np.clip(np.floor(low - margin).astype(int), 0, None)
        right, bottom = np.ceil(high + margin).astype(int)
        outside = np.ones(rgb.shape[:2], dtype=bool)
        outside[top:bottom, left:right] = False
        assert outside.mean() > 0.05
        np.testing.assert_array_equal(rgb[outside], shot.rgb[outside])


def test_audio_is_that_of_the_fake_but_for_its_level_and_the_fades():
    job = samples.audio_job()
    new = CounterpartCut().forge_audio(job, np.random.default_rng(0))
    inside = slice(400, -400)
    expected = job.counterpart[job.start : job.end][inside]
    gain = np.dot(new[inside], expected) / np.dot(expected, expected)
    np.testing.assert_allclose(new[inside], gain * expected, atol=1e-4)
    assert 0.5 < gain < 2


def test_without_a_counterpart_it_is_refused():
    with pytest.raises(ForgeError, match="needs the audio of one"):
        CounterpartCut().forge_audio(replace(samples.audio_job(), counterpart=None), None)
    with pytest.raises(ForgeError, match="need as many donors"):
        forge(replace(samples.frame_job(), counterpart=()))
    job = samples.frame_job()
    with pytest.raises(ForgeError, match="would stay as it is"):
        forge(replace(job, counterpart=job.frames))
