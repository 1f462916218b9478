"""Voice conversion."""

import librosa
import numpy as np
import pytest

from mmmsba_plugin.forge.audio.pitch_tempo import (
    shift_pitch,
)
from mmmsba_plugin.forge.audio.source_filter_vocoder import (
    track_pitch,
)
from mmmsba_plugin.forge.audio.voice_conversion import ConvertVoice, convert_voice

from .speech import RATE_HZ, forge, formant_of, job_at, vowel


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
@pytest.mark.parametrize("semitones", [-4, 4])
def test_another_voice_has_other_formants_and_another_pitch(factor, semitones):
    audio = vowel(1600)
    moved = convert_voice(audio, RATE_HZ, factor=factor, semitones=semitones)
    assert moved.shape == audio.shape
    # A harmonic is up to 140 Hz from the next, and the formant lies between two of them.
    assert formant_of(moved) == pytest.approx(1600 * factor, abs=100)
    pitch_hz = np.median(track_pitch(moved, RATE_HZ).pitch_hz)
    assert pitch_hz == pytest.approx(110 * 2 ** (semitones / 12), rel=0.03)


def test_pitch_alone_carries_the_formants_along():
    assert formant_of(shift_pitch(vowel(1600), 4, RATE_HZ)) == pytest.approx(
        1600 * 2 ** (4 / 12), abs=100
    )


def test_another_voice_is_in_time():
    job = job_at(1.2, 1.0)
    fake = forge(ConvertVoice(), job)
    was, now = (librosa.feature.rms(y=s, hop_length=160)[0] for s in (job.span, fake))
    self_similarity = np.correlate(now - now.mean(), was - was.mean(), mode="full")
    assert abs(int(np.argmax(self_similarity)) - (was.size - 1)) <= 1
