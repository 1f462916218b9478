"""How alike the moments of a clip are, whose voice is heard in them, and how it was made."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.config import FitConfig, TrainConfig
from mmmsba_plugin.errors import FeatureError, ModelFileError
from mmmsba_plugin.features.embeddings import speaker, spoofing
from mmmsba_plugin.features.self_similarity import NUM_VALUES, self_similarity
from mmmsba_plugin.features.voice import NUM_BANDS, Voice, VoiceConfig
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FeatureRows
from mmmsba_plugin.timebase import Grid

RATE_HZ = 16_000
NEAREST, MEAN, BEFORE, AFTER, SIDES = range(NUM_VALUES)


def turned(degrees):
    """Return vectors of length one at these angles; their products are cosines."""
    angles = np.radians(np.array(degrees, dtype=np.float32))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


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


# --- self-similarity ---------------------------------------------------------------------------


def test_a_moment_out_of_place_is_like_no_other():
    found = self_similarity(turned([0] * 20 + [80] + [0] * 20), stride_s=0.1, window_s=0.3)
    assert found[20, [NEAREST, MEAN]] == pytest.approx(np.cos(np.radians(80)), abs=1e-6)
    assert found[5, NEAREST] == pytest.approx(1.0)
    assert found[:, MEAN].argmin() == 20


def test_what_shares_audio_with_a_moment_is_not_compared_with_it():
    # Neighbours are the same, all others the opposite.
    found = self_similarity(turned([0] * 4 + [180] * 20), stride_s=0.1, window_s=0.4)
    assert (found[:4, NEAREST] == -1).all()


def test_sides_are_told_apart():
    found = self_similarity(turned([0] * 10 + [90] * 10), stride_s=0.1, window_s=0.2)
    assert found[10, BEFORE] == pytest.approx(0.0, abs=1e-6)
    assert found[9, AFTER] == pytest.approx(0.0, abs=1e-6)
    assert found[12, AFTER] == pytest.approx(1.0)
    assert found[:, SIDES].argmin() in (9, 10)


def test_a_lone_moment_has_nothing_to_be_like():
    assert self_similarity(turned([30]), stride_s=0.1, window_s=0.4)[0, :SIDES].tolist() == [
        0,
        0,
        0,
        0,
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 1300), st.sampled_from([0.04, 0.08, 0.2]))
def test_blocks_leave_no_seam_and_a_cosine_is_never_above_one(length, stride_s):
    degrees = np.random.default_rng(length).uniform(0, 90, size=length)
    found = self_similarity(turned(degrees), stride_s=stride_s, window_s=0.4)
    assert found.shape == (length, NUM_VALUES)
    assert np.abs(found).max() <= 1 + 1e-6
    picked = length // 2
    far = np.abs(np.arange(length) - picked) * stride_s
    others = np.cos(np.radians(degrees - degrees[picked]))[(far > 0.4) & (far <= 30)]
    if others.size:
        assert found[picked, NEAREST] == pytest.approx(others.max(), abs=1e-5)
        assert found[picked, MEAN] == pytest.approx(others.mean(), abs=1e-5)


# --- speaker embedding
# -------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [speaker, spoofing])
def test_an_encoder_file_that_was_changed_is_refused(module, monkeypatch):
    module.load_encoder.cache_clear()
    monkeypatch.setattr(module, "_SHA256", "0" * 64)
    with pytest.raises(ModelFileError, match="differs from the file that was bundled"):
        module.load_encoder()


def test_one_print_a_snippet_of_length_one_whatever_the_loudness():
    mels = np.random.default_rng(0).uniform(size=(90, speaker.NUM_MELS)).astype(np.float32)
    loud, soft = (
        speaker.speaker_embeddings(mels * gain, mean_square=gain, window=40, every=10)
        for gain in (1.0, 1e-4)
    )
    assert loud.shape == (9, 256)
    assert np.linalg.norm(loud, axis=1) == pytest.approx(np.ones(9), abs=1e-5)
    assert loud == pytest.approx(soft, abs=1e-4)


@pytest.mark.parametrize("every", [4, 10, 39, 40, 41, 100, 1000])
def test_there_is_a_print_a_snippet_however_long_it_is(every):
    mels = np.random.default_rng(0).uniform(size=(3 * every, speaker.NUM_MELS))
    found = speaker.speaker_embeddings(
        mels.astype(np.float32), mean_square=1.0, window=40, every=every
    )
    assert found.shape == (3, 256)


def test_the_bands_are_those_of_librosa():
    import librosa

    expected = librosa.filters.mel(sr=speaker.RATE_HZ, n_fft=512, n_mels=speaker.NUM_MELS)
    assert speaker.mel_bands() == pytest.approx(expected, abs=1e-7)


# --- anti-spoofing embedding
# -------------------------------------------------------------------------------


def test_prints_are_those_of_the_encoder_over_the_whole_audio():
    import torch

    step, batch = spoofing.STEP, spoofing._BATCH
    audio = np.random.default_rng(0).normal(scale=0.05, size=(2 * batch + 3) * step)
    audio = (audio * 0.05 / np.sqrt(np.mean(audio**2))).astype(np.float32)
    around = 2 * step + 64
    padded = torch.from_numpy(np.pad(audio, (around, around), mode="symmetric"))
    whole = spoofing.load_encoder()(padded[None, None])[0].abs()
    expected = torch.cat([whole.amax(dim=1), whole.mean(dim=1)]).T.detach().numpy()[2:-2]
    assert spoofing.spoofing_embeddings(audio) == pytest.approx(expected, abs=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 3 * spoofing.STEP))
def test_there_is_a_print_for_every_step_that_begins(num_samples):
    audio = np.random.default_rng(num_samples).normal(size=num_samples).astype(np.float32)
    found = spoofing.spoofing_embeddings(audio)
    assert found.shape == (-(-num_samples // spoofing.STEP), spoofing.NUM_VALUES)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_prints_move_with_the_audio():
    audio = np.zeros(20 * spoofing.STEP, dtype=np.float32)
    audio[10 * spoofing.STEP : 11 * spoofing.STEP] = voice(140, 1.0)[: spoofing.STEP]
    found = spoofing.spoofing_embeddings(audio)
    changed = np.abs(found - np.median(found, axis=0)).max(axis=1)
    assert changed.argmax() in (10, 11)
    assert (changed[:8] < 1e-4).all()
    assert (changed[13:] < 1e-4).all()


# --- the front-end -----------------------------------------------------------------------------

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


def test_loudness_does_not_change_what_is_heard():
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
def test_what_is_heard_does_not_depend_on_how_long_frames_go_on(duration_s, more):
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


def test_our_preset_hears_voices_unless_told_otherwise():
    assert FitConfig(preset="mmmsba").features.front_ends["audio"].name == "voice"
    trimmed = FitConfig.read({"preset": "mmmsba", "features": {"trim_silence": True}}).features
    assert trimmed.trim_silence
    assert trimmed.front_ends["audio"].name == "voice"
    mine = {"front_ends": {"audio": {"name": "log-mel"}}}
    chosen = FitConfig.read({"preset": "mmmsba", "features": mine})
    assert chosen.features.front_ends["audio"].name == "log-mel"
    assert FitConfig(preset="paper").features.front_ends["audio"].name == "log-mel"


def test_our_preset_learns_at_its_own_pace_unless_told_otherwise():
    assert FitConfig(preset="mmmsba").train.batch_size == 24
    said = FitConfig.read({"preset": "mmmsba", "train": {"seed": 3}}).train
    assert (said.seed, said.batch_size) == (3, 24)
    assert FitConfig(preset="mmmsba", train=TrainConfig()).train == TrainConfig()
