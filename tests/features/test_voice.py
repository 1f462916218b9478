"""The front-end of voices: self-similarity, speaker and spoofing embeddings by snippet."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.config import FitConfig, TrainConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.self_similarity import NUM_VALUES
from mmmsba_plugin.features.voice import NUM_BANDS, Voice, VoiceConfig
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FeatureRows
from mmmsba_plugin.timebase import Grid

RATE_HZ = 16_000


NEAREST, MEAN, BEFORE, AFTER, SIDES = range(NUM_VALUES)


def voice(pitch_hz, duration_s, *, formant_hz=700.0, seed=0):
    """Return a buzz at a pitch with one formant, a little like a vowel."""
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    harmonics = np.arange(1, int(7000 / pitch_hz))
    gains = np.exp(-(((harmonics * pitch_hz - formant_hz) / 400) ** 2)) + 0.02
    buzz = (gains[:, None] * np.sin(2 * np.pi * pitch_hz * harmonics[:, None] * times_s)).sum(
        axis=0
    )
    hiss = np.random.default_rng(seed).normal(scale=0.01, size=buzz.size)
    return (0.1 * buzz / np.abs(buzz).max() + 0.1 * hiss).astype(np.float32)


def rows_of(audio, *, num_snippets=None, stride_s=0.08):
    extractor = Voice(VoiceConfig())
    grid = Grid(stride_s=stride_s)
    extractor.start(Media(path="clip.wav"), grid)
    extractor.add(AudioBlock(0.0, audio, RATE_HZ))
    return extractor.finish(num_snippets or grid.num_snippets(audio.size / RATE_HZ))


LEVELS, UNITS, STEPS = (slice(start, start + NUM_BANDS) for start in range(0, 48, NUM_BANDS))


LIKENESSES, TRACES = slice(48, 48 + 2 * NUM_VALUES), slice(48 + 2 * NUM_VALUES, None)


def test_a_tone_stands_in_the_band_of_its_frequency_and_its_end_is_a_step():
    times_s = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = np.where(times_s < 0.8, 0.5 * np.sin(2 * np.pi * 2_240 * times_s), 0.0)
    hiss = np.random.default_rng(0).normal(scale=1e-3, size=tone.size)
    rows = rows_of((tone + hiss).astype(np.float32)).values
    # 8 kHz over 16 bands: 500 Hz a band.
    assert rows[:9, LEVELS].mean(axis=0).argmax() == 2_240 // 500
    assert rows[:, STEPS][:, 4].argmax() in (9, 10)
    assert np.abs(rows[:, UNITS]).max() <= 8


def test_a_machine_in_the_middle_leaves_traces():
    audio = np.random.default_rng(0).normal(scale=0.05, size=5 * RATE_HZ).astype(np.float32)
    audio[2 * RATE_HZ : 3 * RATE_HZ] = voice(140, 1.0)
    traces = np.abs(rows_of(audio).values[:, TRACES]).mean(axis=1)
    assert traces[26:36].min() > 2 * max(traces[:22].max(), traces[41:].max())


def test_another_voice_in_the_middle_is_out_of_place():
    audio = voice(110, 5.0, formant_hz=600)
    audio[2 * RATE_HZ : 3 * RATE_HZ] = voice(260, 1.0, formant_hz=1900)
    nearest = rows_of(audio).values[:, LIKENESSES][:, NEAREST]
    inside, outside = nearest[28:34], np.r_[nearest[:20], nearest[42:60]]
    assert np.median(inside) < outside.min()


def test_loudness_does_not_change_the_features():
    audio = voice(140, 2.0)
    loud, soft = (rows_of(audio * gain).values for gain in (1.0, 0.3))
    # The floor at -100 dB is nearer to what is soft.
    assert loud == pytest.approx(soft, abs=0.05)


def test_audio_that_ends_early_leaves_rows_that_are_not_present():
    rows: FeatureRows = rows_of(voice(140, 1.0), num_snippets=30)
    assert rows.present.sum() == 13
    assert not rows.values[~rows.present].any()
    assert np.isfinite(rows.values).all()


@settings(max_examples=10, deadline=None)
@given(st.floats(0.3, 3.0), st.integers(1, 60))
@example(duration_s=2.0, more=1)  # ends with a cell, where a frame is centred on the end
def test_rows_of_audio_do_not_depend_on_how_long_frames_go_on(duration_s, more):
    audio = voice(140, duration_s)
    alone = rows_of(audio)
    longer = rows_of(audio, num_snippets=len(alone) + more)
    assert longer.values[: len(alone)] == pytest.approx(alone.values, abs=1e-4)
    assert not longer.present[len(alone) :].any()


def test_another_sample_rate_is_refused_with_the_way_out():
    extractor = Voice(VoiceConfig())
    extractor.start(Media(path="clip.wav"), Grid(stride_s=0.08))
    with pytest.raises(FeatureError, match=r"at 16000 Hz, got audio of 8000 Hz; set media"):
        extractor.add(AudioBlock(0.0, np.zeros(800, np.float32), 8_000))


def test_our_preset_uses_the_voice_front_end_unless_another_is_named():
    assert FitConfig(preset="mmmsba").features.front_ends["audio"].name == "voice"
    trimmed = FitConfig.read({"preset": "mmmsba", "features": {"trim_silence": True}}).features
    assert trimmed.trim_silence
    assert trimmed.front_ends["audio"].name == "voice"
    mine = {"front_ends": {"audio": {"name": "log-mel"}}}
    chosen = FitConfig.read({"preset": "mmmsba", "features": mine})
    assert chosen.features.front_ends["audio"].name == "log-mel"
    assert FitConfig(preset="paper").features.front_ends["audio"].name == "log-mel"


def test_our_preset_has_a_batch_size_of_its_own_unless_one_is_given():
    assert FitConfig(preset="mmmsba").train.batch_size == 24
    train = FitConfig.read({"preset": "mmmsba", "train": {"seed": 3}}).train
    assert (train.seed, train.batch_size) == (3, 24)
    assert FitConfig(preset="mmmsba", train=TrainConfig()).train == TrainConfig()
