"""Log-mel rows of audio."""

from itertools import pairwise

import numpy as np
import pytest

from mmmsba_plugin.errors import FeatureError, GridError
from mmmsba_plugin.features.log_mel import LogMel, LogMelConfig, log_mel
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FeatureRows
from mmmsba_plugin.timebase import Grid

RATE_HZ = 16_000


CLIP = Media(path="clip.mp4")


def noise(duration_s: float, *, start_s: float = 0.0, level: float = 0.1) -> AudioBlock:
    rng = np.random.default_rng(7)
    audio = rng.normal(scale=level, size=round(duration_s * RATE_HZ)).astype(np.float32)
    return AudioBlock(start_s, audio, RATE_HZ)


def log_mel_rows(*blocks: AudioBlock, num_snippets: int, stride_s: float = 0.1) -> FeatureRows:
    extractor = LogMel(LogMelConfig())
    extractor.start(CLIP, Grid(stride_s=stride_s))
    for block in blocks:
        extractor.add(block)
    return extractor.finish(num_snippets)


class TestLogMel:
    def test_a_row_is_as_long_as_it_says_and_finite(self):
        rows = log_mel_rows(noise(1.0), num_snippets=10)
        assert rows.dim == (10 * 2 + 1) * 40 + 2
        assert rows.present.all()

    def test_columns_do_not_depend_on_how_the_audio_was_cut_into_blocks(self):
        whole = noise(25.0)
        cuts = [0, 1, 7_000, 7_160, 200_000, whole.samples.size]
        blocks = [AudioBlock(a / RATE_HZ, whole.samples[a:b], RATE_HZ) for a, b in pairwise(cuts)]
        expected = log_mel_rows(whole, num_snippets=250)
        # Sums of 16,000 float32 in another order: 1e-4 of 10 dB is far below hearing.
        assert log_mel_rows(*blocks, num_snippets=250).values == pytest.approx(
            expected.values, abs=1e-4
        )

    @pytest.mark.parametrize("rate_hz", [8_000, 16_000, 20_000])
    @pytest.mark.parametrize("level", [1e-3, 0.1, 1.0])
    def test_it_is_librosas_log_mel(self, rate_hz, level):
        import librosa

        audio = noise(1.0, level=level).samples
        ours = log_mel(np.pad(audio, 256), rate_hz, num_mels=40)
        power = librosa.feature.melspectrogram(
            y=audio, sr=rate_hz, n_fft=512, win_length=rate_hz // 40, hop_length=rate_hz // 100,
            n_mels=40, pad_mode="constant",
        )  # fmt: skip
        theirs = librosa.power_to_db(power, amin=1e-10, top_db=None).T
        assert ours[: len(theirs)] == pytest.approx(theirs, abs=1e-3)

    def test_a_click_lands_in_the_cell_that_holds_its_moment(self):
        audio = np.zeros(RATE_HZ, dtype=np.float32)
        audio[round(0.55 * RATE_HZ)] = 1.0
        rows = log_mel_rows(AudioBlock(0.0, audio, RATE_HZ), num_snippets=10)
        assert rows.values[:, -1].argmax() == 5

    def test_audio_that_starts_late_is_placed_late(self):
        rows = log_mel_rows(noise(0.5, start_s=0.5), num_snippets=10)
        levels = rows.values[:, -2]
        # The window of the last column before it reaches 6 ms into the audio.
        assert (levels[:4] < -9.9).all()
        assert (levels[5:] > -6).all()

    def test_audio_before_the_grid_is_left_out(self):
        late = noise(1.0)
        early = AudioBlock(
            -0.5, np.concatenate([np.ones(8_000, np.float32), late.samples]), RATE_HZ
        )
        assert log_mel_rows(early, num_snippets=10).values == pytest.approx(
            log_mel_rows(late, num_snippets=10).values, abs=1e-4
        )

    def test_no_audio_is_not_present(self):
        assert not log_mel_rows(num_snippets=5).present.any()

    def test_a_stride_that_columns_would_drift_against_is_refused(self):
        with pytest.raises(GridError, match=r"choose a multiple, such as 0.03 s"):
            log_mel_rows(num_snippets=1, stride_s=1 / 30)

    def test_a_rate_that_the_window_does_not_fit_is_refused(self):
        with pytest.raises(FeatureError, match=r"8 to 20 kHz, got 48000 Hz"):
            log_mel_rows(AudioBlock(0.0, np.zeros(9, np.float32), 48_000), num_snippets=1)
