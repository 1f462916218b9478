"""Comparison of a mouth with the audio."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from mmmsba_plugin.tracks.speaker import LEAST_AGREEMENT, lip_points, measure_agreement

RATE_HZ, FPS_HZ = 16_000, 25


def loudness(seed: int, num_frames: int = 250) -> np.ndarray:
    """Draw how loud somebody is in each frame, in [0, 1]: syllables and pauses."""
    noise = gaussian_filter1d(np.random.default_rng(seed).standard_normal(num_frames), 3)
    return np.clip(2 * noise / noise.std(), 0, 2) / 2


def agreement(mouth: np.ndarray, voice: np.ndarray) -> float | None:
    noise = np.random.default_rng(0).standard_normal(voice.size * RATE_HZ // FPS_HZ)
    audio = (0.1 * noise * voice.repeat(RATE_HZ // FPS_HZ)).astype(np.float32)
    times_s = np.arange(mouth.size) / FPS_HZ
    return measure_agreement(
        times_s, 20 * mouth, audio, end_s=mouth.size / FPS_HZ, sample_rate_hz=RATE_HZ
    )


def test_a_mouth_agrees_with_its_own_voice():
    own, other = (agreement(loudness(2), loudness(seed)) for seed in (2, 3))
    assert own > LEAST_AGREEMENT
    assert own > other + 0.3


@pytest.mark.parametrize("num_frames", [2, 20, 70])
def test_nothing_is_known_of_a_face_that_is_seen_for_too_short(num_frames):
    assert agreement(loudness(2, num_frames), loudness(2)) is None


def test_nothing_is_known_without_a_voice():
    assert agreement(loudness(2), np.zeros(250)) is None
    assert agreement(loudness(2), np.zeros(0)) is None


def test_still_lips_agree_with_nothing():
    assert agreement(np.zeros(250), loudness(2)) == 0


def test_lips_that_move_as_a_whole_have_not_moved():
    points = np.random.default_rng(0).uniform(size=(468, 2)).astype(np.float32)
    assert lip_points(points + 5) == pytest.approx(lip_points(points), abs=1e-5)
