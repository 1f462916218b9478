"""Measure how far leading silence tells fake clips from real ones."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ScoreRangeError, ShapeError
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.evaluation.silence_audit import HALF_S, leak_auc, silence_auc, silence_scores
from mmmsba_plugin.evaluation.tables import GroundTruth, GroundTruthRow
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import SILENT_DB, audio_start_s, leading_silence_s
from mmmsba_plugin.structures import AudioBlock

from ..clips import numbered_frames

RATE_HZ = 16_000


def audio(duration_s=1.0, *, silent_s=0.0, level=0.1, rate_hz=RATE_HZ) -> np.ndarray:
    """Noise behind silence of exactly zero."""
    samples = np.random.default_rng(5).normal(scale=level, size=round(duration_s * rate_hz))
    samples[: round(silent_s * rate_hz)] = 0.0
    return samples.clip(-1, 1).astype(np.float32)


def write_and_probe(path, samples, **settings):
    write_clip(path, [], fps_hz=25, audio=samples, **settings)
    return probe(path)


class TestLeadingSilence:
    @pytest.mark.parametrize("silent_s", [0.0, 0.03, 0.25, 0.9])
    def test_silence_is_measured_to_the_sample(self, tmp_path, silent_s):
        media = write_and_probe(
            tmp_path / "a.mkv", audio(silent_s=silent_s), audio_codec="pcm_s16le"
        )
        assert leading_silence_s(media) == pytest.approx(silent_s, abs=1 / RATE_HZ)

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov"])
    @pytest.mark.parametrize("silent_s", [0.25, 0.5])
    def test_a_lossy_codec_smears_the_beginning_of_audio_a_little(self, tmp_path, suffix, silent_s):
        media = write_and_probe(tmp_path / f"a{suffix}", audio(silent_s=silent_s))
        # AAC at 16 kHz has the longest frames, 64 ms; measured: up to 12 ms early.
        assert silent_s - 0.015 < leading_silence_s(media) < silent_s + 0.002

    def test_the_usual_rates_keep_a_silence_of_thirty_milliseconds(self, tmp_path):
        samples = audio(silent_s=0.03, rate_hz=44_100)
        media = write_and_probe(
            tmp_path / "a.mp4", samples, sample_rate_hz=44_100, audio_bit_rate=128_000
        )
        assert leading_silence_s(media) == pytest.approx(0.03, abs=0.003)

    def test_a_quiet_room_is_no_silence(self, tmp_path):
        room_tone = audio(level=10 ** (SILENT_DB / 20))
        assert leading_silence_s(write_and_probe(tmp_path / "room.mp4", room_tone)) < 0.005

    def test_a_lower_level_makes_quiet_noise_audible(self, tmp_path):
        samples = np.concatenate([audio(0.5, level=1e-4), audio(0.5, level=0.1)])
        media = write_and_probe(tmp_path / "a.mkv", samples, audio_codec="pcm_s16le")
        assert leading_silence_s(media) == pytest.approx(0.5, abs=0.001)
        assert leading_silence_s(media, level_db=-85.0) < 0.001

    def test_audio_that_starts_late_is_silent_until_then(self, tmp_path):
        path = tmp_path / "late.mkv"
        settings = {"audio": audio(), "audio_start_s": 0.6, "audio_codec": "pcm_s16le"}
        write_clip(path, numbered_frames(50), fps_hz=25, **settings)
        # Matroska rounds time stamps to 1 ms.
        assert leading_silence_s(probe(path)) == pytest.approx(0.6, abs=0.001)

    def test_audio_before_the_zero_of_a_clip_does_not_count(self, tmp_path, monkeypatch):
        media = write_and_probe(tmp_path / "a.mp4", audio(0.2))
        # Audible for 0.25 s, silent for 0.5 s, and audible again.
        samples = np.repeat([0.5, 0.0, 0.0, 0.5], 4_000).astype(np.float32)
        whole = [AudioBlock(-0.5, samples, RATE_HZ)]
        cut = [
            AudioBlock(-0.5, samples[:4_000], RATE_HZ), AudioBlock(-0.25, samples[4_000:], RATE_HZ)
        ]  # fmt: skip
        for blocks in (whole, cut):
            monkeypatch.setattr(AudioReader, "__iter__", lambda _, blocks=blocks: iter(blocks))
            assert leading_silence_s(media) == 0.25

    def test_a_clip_that_is_silent_throughout_has_nothing_else(self, tmp_path):
        media = write_and_probe(tmp_path / "a.mp4", np.zeros(RATE_HZ, np.float32))
        assert leading_silence_s(media) == media.duration_s == pytest.approx(1.0, abs=0.1)
        assert audio_start_s(media) == math.inf
        assert leading_silence_s(media.model_copy(update={"duration_s": None})) is None

    def test_a_clip_without_audio_has_no_leading_silence(self, silent_clip):
        assert leading_silence_s(probe(silent_clip)) is None

    def test_no_more_is_decoded_than_needed(self, tmp_path, monkeypatch):
        media = write_and_probe(tmp_path / "long.mp4", audio(30.0, silent_s=1.0))
        read = AudioReader.__iter__
        blocks = []

        def listening(reader):
            for block in read(reader):
                blocks.append(block)
                yield block

        monkeypatch.setattr(AudioReader, "__iter__", listening)
        leading_silence_s(media)
        assert blocks[-1].start_s < 1.1


class TestScores:
    @given(st.lists(st.floats(0, 3600), min_size=2))
    def test_longer_silence_scores_higher_and_all_lie_between_zero_and_one(self, lengths):
        scores = silence_scores(lengths)
        assert ((scores >= 0) & (scores <= 1)).all()
        order = np.argsort(lengths, kind="stable")
        assert (np.diff(scores[order]) >= 0).all()
        # A millisecond is told apart up to an hour.
        apart = np.diff(np.array(lengths)[order]) > 1e-3
        assert (np.diff(scores[order])[apart] > 0).all()

    def test_no_silence_scores_nothing_and_a_little_one_half(self):
        assert silence_scores([0.0, HALF_S]).tolist() == [0.0, 0.5]

    def test_what_is_not_known_stays_unknown(self):
        assert np.isnan(silence_scores([None, math.nan])).all()


class TestLeak:
    def test_silence_before_every_fake_tells_all_of_them_from_real(self):
        leading_s = [0.0, 0.001, 0.0, 0.031, 0.028, 0.5]
        fake = [False, False, False, True, True, True]
        assert leak_auc(silence_scores(leading_s), fake) == 1.0

    def test_silence_before_every_real_clip_does_so_too(self):
        scores = silence_scores([0.4, 0.3, 0.0, 0.0])
        assert Ranking.of(scores, [False, False, True, True]).auc == 0.0
        assert leak_auc(scores, [False, False, True, True]) == 1.0

    def test_silence_alike_gives_nothing_away(self):
        assert leak_auc(silence_scores([0.1, 0.1, 0.1]), [True, False, True]) == 0.5

    @given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2))
    def test_it_is_never_below_one_half(self, rows):
        scores = [n / 10 for n, _ in rows]
        auc = leak_auc(scores, [fake for _, fake in rows])
        assert math.isnan(auc) or 0.5 <= auc <= 1.0

    def test_chance_lies_where_the_docstring_says(self):
        rng = np.random.default_rng(0)
        fake = np.repeat([True, False], 20)
        draws = [leak_auc(rng.random(40), fake) for _ in range(500)]
        # The mean of 500 draws scatters by 0.002.
        assert np.mean(draws) == pytest.approx(0.573, abs=0.01)

    def test_clips_of_unknown_silence_are_left_out(self):
        assert leak_auc([0.9, math.nan, 0.1], [True, True, False]) == 1.0
        assert math.isnan(leak_auc([0.9, math.nan], [True, False]))

    def test_scores_and_labels_must_fit_as_for_any_metric(self):
        with pytest.raises(ShapeError, match=r"got shapes \(1,\) .* \(2,\)"):
            leak_auc([0.5], [True, False])
        with pytest.raises(ScoreRangeError, match=r"got 2; are these logits\?"):
            leak_auc([2.0, math.nan], [True, False])

    def test_our_own_fakes_are_not_told_from_real_by_silence(self, talking_head_dataset):
        records = json.loads((talking_head_dataset / "metadata.json").read_text())
        leading_s = [leading_silence_s(probe(talking_head_dataset / r["file"])) for r in records]
        fake = [bool(r["fake_periods"]) for r in records]
        # 5 real and 10 fake clips: chance is 0.63, and a leak as published is 0.98 or more.
        assert leak_auc(silence_scores(leading_s), fake) < 0.85


class TestSilenceAuc:
    @pytest.fixture
    def ground_truth(self):
        rows = [
            GroundTruthRow(f"{identity}{number}", number == 1, np.zeros((0, 2)), cluster=identity)
            for identity in "abcd"
            for number in (0, 1)
        ]
        return GroundTruth.of_rows(rows)

    def test_it_is_that_of_the_lengths_with_an_interval_over_identities(self, ground_truth):
        lengths_s = {key: float(key[1]) + 0.1 * (key[0] == "a") for key in ground_truth.keys}
        lengths_s["b1"] = 0.05
        expected = leak_auc(silence_scores(list(lengths_s.values())), ground_truth.fake)
        interval = silence_auc(lengths_s, ground_truth, num_resamples=50)
        assert interval.value == expected == 15 / 16
        assert 0.5 <= interval.low <= interval.value <= interval.high <= 1.0
        assert math.isnan(silence_auc(lengths_s, ground_truth, num_resamples=0).low)

    def test_clips_without_a_measured_silence_are_left_out(self, ground_truth):
        lengths_s = {"a0": 0.0, "a1": 0.2, "b0": None, "c1": 0.1}
        assert silence_auc(lengths_s, ground_truth, num_resamples=0).value == 1.0
        assert math.isnan(silence_auc({"a0": 0.0}, ground_truth, num_resamples=0).value)
        assert math.isnan(silence_auc({}, ground_truth, num_resamples=0).value)
