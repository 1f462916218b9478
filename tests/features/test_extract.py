"""People and audio become rows of vectors on one grid."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import FeaturesConfig, FrontEndChoice
from mmmsba_plugin.detector import bind_front_ends
from mmmsba_plugin.errors import ConfigError, FeatureError, GridError
from mmmsba_plugin.features import native_detail, texture
from mmmsba_plugin.features.align import HOLD_S, rows_on_grid, with_deviation
from mmmsba_plugin.features.cache import FeatureCache, cache_key
from mmmsba_plugin.features.extract import extract, save_rows
from mmmsba_plugin.features.log_mel import LogMel, LogMelConfig, log_mel
from mmmsba_plugin.features.opt_outs import NOTHING_HEARD, SILENCE, AudioOptOuts
from mmmsba_plugin.features.precomputed import Precomputed, PrecomputedConfig
from mmmsba_plugin.features.walk import NO_AUDIO_STREAM
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FeatureRows
from mmmsba_plugin.testing import samples
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.mesh import LIPS_OUTER, apply_affine

RATE_HZ = 16_000
CLIP = Media(path="clip.mp4")


def rows_at(*times_s: float) -> tuple[np.ndarray, np.ndarray]:
    times = np.array(times_s)
    return times[:, None].astype(np.float32), times


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


class TestAlign:
    def test_a_cell_takes_the_mean_of_its_frames(self):
        rows = rows_on_grid(*rows_at(0.0, 0.04, 0.08, 0.12), Grid(stride_s=0.08), 2)
        assert rows.values[:, 0] == pytest.approx([0.02, 0.10])

    def test_a_frame_on_an_edge_belongs_to_the_cell_that_starts_there(self):
        rows = rows_on_grid(*rows_at(0.3), Grid(stride_s=0.1), 5, hold_s=0.0)
        assert rows.present.tolist() == [False, False, False, True, False]

    def test_a_cell_without_a_frame_borrows_the_nearest_but_not_from_afar(self):
        rows = rows_on_grid(*rows_at(0.0, 1.0), Grid(stride_s=0.1), 10)
        near = np.abs(Grid(stride_s=0.1).centers_s(10)[:, None] - [0.0, 1.0]).min(axis=1)
        assert rows.present.tolist() == (near <= HOLD_S).tolist()
        assert rows.values[1, 0] == 0.0
        assert rows.values[9, 0] == 1.0

    def test_no_frames_at_all_give_rows_that_are_not_present(self):
        empty = rows_on_grid(np.zeros((0, 3), np.float32), np.zeros(0), Grid(stride_s=0.1), 4)
        assert empty.values.shape == (4, 3)
        assert not empty.present.any()

    @given(st.lists(st.floats(0, 5), min_size=1, max_size=40), st.sampled_from([0.04, 0.08, 0.2]))
    def test_no_row_is_invented(self, times, stride_s):
        values, times_s = rows_at(*sorted(times))
        rows = rows_on_grid(values, times_s, Grid(stride_s=stride_s), 30)
        inside = rows.values[rows.present, 0]
        # float32 holds these times to 3e-7 of 5 s.
        assert ((inside >= times_s.min() - 2e-6) & (inside <= times_s.max() + 2e-6)).all()
        assert (rows.values[~rows.present] == 0).all()

    def test_deviation_is_from_the_clips_own_median_of_what_is_present(self):
        values = np.array([[1.0], [2.0], [9.0], [77.0]], dtype=np.float32)
        present = np.array([True, True, True, False])
        rows = with_deviation(FeatureRows(values, present))
        # Their middle is 2, and 1 the median of how far they are from it.
        spread = 1.4826 + 0.1
        wanted = np.array([[1, -1 / spread], [2, 0], [9, 7 / spread], [0, 0]])
        assert rows.values == pytest.approx(wanted, rel=1e-6)

    @given(st.floats(1.0, 100.0))
    def test_how_much_a_identity_moves_does_not_count_but_rounding_never_does(self, gain):
        values = np.random.default_rng(1).normal(size=(50, 1)).astype(np.float32)
        here = np.ones(50, dtype=bool)
        calm, lively, still = (
            with_deviation(FeatureRows((values * factor).astype(np.float32), here)).values[:, 1]
            for factor in (10.0, 10.0 * gain, 1e-6)
        )
        assert lively == pytest.approx(calm, rel=0.03, abs=0.01)
        assert np.abs(still).max() < 1e-4

    def test_one_wild_frame_cannot_drown_the_others(self):
        values = np.array([[0.0], [1.0], [2.0], [1e6]], dtype=np.float32)
        rows = with_deviation(FeatureRows(values, np.ones(4, dtype=bool)))
        assert np.abs(rows.values[:, 1]).max() == 8.0


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


class TestWatch:
    def heard(self, *blocks: AudioBlock) -> list[tuple[float, float, str]]:
        watch = AudioOptOuts()
        for block in blocks:
            watch.add(block)
        return [(round(o.start_s, 3), round(o.end_s, 3), o.reason) for o in watch.opt_outs()]

    def test_speech_with_short_pauses_is_judged_throughout(self):
        pause = AudioBlock(1.0, np.zeros(RATE_HZ // 2, np.float32), RATE_HZ)
        assert self.heard(noise(1.0), pause, noise(1.0, start_s=1.5)) == []

    def test_a_long_silence_is_opted_out_of(self):
        silence = AudioBlock(1.0, np.zeros(2 * RATE_HZ, np.float32), RATE_HZ)
        assert self.heard(noise(1.0), silence, noise(1.0, start_s=3.0)) == [(1.0, 3.0, SILENCE)]

    def test_a_clip_that_is_silent_throughout_is_opted_out_of_however_short(self):
        silence = AudioBlock(0.0, np.zeros(RATE_HZ // 2, np.float32), RATE_HZ)
        assert self.heard(silence) == [(0.0, 0.5, SILENCE)]

    def test_missing_audio_is_told_from_silence(self):
        assert self.heard(noise(1.0), noise(1.0, start_s=2.0)) == [(1.0, 2.0, NOTHING_HEARD)]


class TestPrecomputed:
    def rows(self, folder, values, *, hop_s=0.1, stride_s=0.2, num_snippets=3) -> FeatureRows:
        np.save(folder / "clip.npy", values)
        extractor = Precomputed(PrecomputedConfig(folder=folder, hop_s=hop_s))
        extractor.start(Media(path="anywhere/clip.mp4"), Grid(stride_s=stride_s))
        return extractor.finish(num_snippets)

    def test_rows_of_a_finer_hop_are_averaged_into_cells(self, tmp_path):
        rows = self.rows(tmp_path, np.arange(6, dtype=np.float64)[:, None])
        assert rows.values[:, 0].tolist() == [0.5, 2.5, 4.5]

    def test_rows_of_a_coarser_hop_are_repeated(self, tmp_path):
        rows = self.rows(tmp_path, np.array([[1.0], [2.0]]), hop_s=0.4, num_snippets=4)
        assert rows.values[:, 0].tolist() == [1, 1, 2, 2]

    def test_a_row_of_nan_is_not_present(self, tmp_path):
        values = np.array([[1.0], [1.0], [np.nan], [np.nan], [3.0], [3.0]])
        rows = self.rows(tmp_path, values)
        assert rows.present.tolist() == [True, False, True]

    def test_what_features_wrote_is_read_back(self, tmp_path, talking_clip):
        config = FeaturesConfig()
        found = extract(probe(talking_clip), bind_front_ends(config), config)
        dict(save_rows(found, tmp_path, talking_clip.stem))
        settings = {"folder": str(tmp_path / "audio"), "hop_s": config.stride_s}
        again = config.model_copy(
            update={"front_ends": {"audio": FrontEndChoice(name="precomputed", settings=settings)}}
        )
        read = extract(probe(talking_clip), bind_front_ends(again), again)
        num = read.num_snippets
        assert read.rows["audio"].values == pytest.approx(found.rows["audio"].values[:num])

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (None, "no features at .*clip.npy; check the folder and the suffix"),
            (b"not an array", "not a readable .npy file"),
            (np.zeros(3), r"must hold numbers of shape \(row, feature\), got float64 of shape"),
            (np.array([["a"]]), "must hold numbers"),
        ],
    )
    def test_what_is_no_feature_file_is_named(self, tmp_path, content, text):
        if isinstance(content, bytes):
            (tmp_path / "clip.npy").write_bytes(content)
        elif content is not None:
            np.save(tmp_path / "clip.npy", content)
        extractor = Precomputed(PrecomputedConfig(folder=tmp_path, hop_s=0.1))
        extractor.start(CLIP, Grid())
        with pytest.raises(FeatureError, match=text):
            extractor.finish(3)

    def test_an_array_of_python_objects_is_not_unpickled(self, tmp_path):
        np.save(tmp_path / "clip.npy", np.array([{"a": 1}]), allow_pickle=True)
        extractor = Precomputed(PrecomputedConfig(folder=tmp_path, hop_s=0.1))
        extractor.start(CLIP, Grid())
        with pytest.raises(FeatureError, match=r"not a readable .npy file"):
            extractor.finish(3)


class TestVisual:
    def test_bands_of_a_difference_are_differences_of_bands(self):
        before, now = np.random.default_rng(0).uniform(0, 255, (2, 64, 96)).astype(np.float32)
        fine, _, coarse = texture.bands(now - before)
        changes = texture.change(texture.bands(now), texture.bands(before))
        # float32 holds 255 to 1.5e-5, and a filter adds a few of these.
        assert np.array(changes) == pytest.approx(np.array([fine, coarse]), abs=1e-4)

    def describe(self, name: str, faces) -> FeatureRows:
        config = FeaturesConfig().only(["face", "lips"])
        extractor = bind_front_ends(config)[name].build()
        extractor.start(CLIP, Grid(stride_s=0.04))
        for face in faces:
            extractor.add(face)
        return extractor.finish(len(list(faces)))

    @pytest.mark.parametrize("name", ["face", "lips"])
    def test_a_cut_in_the_clip_is_not_taken_for_movement(self, name):
        faces = list(samples.faces(0.16))[:4]
        joined = [*faces[:2], *(replace(f, track=1) for f in faces[2:])]
        one, two = self.describe(name, faces), self.describe(name, joined)
        # The other half is relative to the clip's median, which the cut moves.
        described = one.dim // 2
        assert (one.values[1, :described] == two.values[1, :described]).all()
        assert not np.allclose(one.values[2, :described], two.values[2, :described])


@pytest.fixture(scope="module")
def face():
    """The astronaut's."""
    from skimage import data

    from mmmsba_plugin.structures import Frame
    from mmmsba_plugin.tracks.link import follow_main_face

    [observation] = follow_main_face([Frame(0.0, data.astronaut())])
    return observation.face


class TestNative:
    def test_a_softened_mouth_has_less_detail_than_before_and_than_its_face(self, face):
        import cv2

        points = apply_affine(face.to_native, face.points[list(LIPS_OUTER)])
        (left, top), (right, bottom) = (
            points.min(axis=0).astype(int),
            points.max(axis=0).astype(int),
        )
        softened = face.native.copy()
        mouth = softened[top:bottom, left:right]
        softened[top:bottom, left:right] = cv2.GaussianBlur(mouth, (0, 0), 0.7)
        sharp = native_detail.native_detail(face)
        soft = native_detail.native_detail(replace(face, native=softened))
        curvature_of_mouth, against_face = 0, native_detail.NUM_VALUES - 6
        assert soft[curvature_of_mouth] < sharp[curvature_of_mouth] - 0.5
        assert soft[against_face] < sharp[against_face] - 0.4

    def test_a_face_of_a_few_pixels_gives_finite_values(self, face):
        speck = replace(
            face, native=face.native[:3, :2], to_native=face.to_native * np.array([[0.01], [0.01]])
        )
        assert np.isfinite(native_detail.native_detail(speck)).all()

    def test_looking_for_a_slide_leaves_the_frames_as_they_were(self):
        # OpenCV multiplies its window into frames whose sides suit its transform.
        images = np.random.default_rng(0).uniform(0, 255, (2, 64, 96)).astype(np.float32)
        before, now = images.copy()
        texture.slid(before, now)
        assert (np.stack([before, now]) == images).all()

    def test_a_cut_that_slid_is_measured_to_a_fraction_of_a_pixel(self):
        import cv2

        rng = np.random.default_rng(0)
        image = cv2.GaussianBlur(rng.normal(size=(64, 96)).astype(np.float32), (0, 0), 3) * 50
        moved = cv2.warpAffine(image, np.array([[1, 0, 1.5], [0, 1, -0.5]]), (96, 64))
        shift, match = texture.slid(image, moved)
        assert shift == pytest.approx([1.5, -0.5], abs=0.2)
        assert match > 0.5


class TestExtract:
    def extracted(self, clip, cache=None, **changes):
        config = FeaturesConfig(**changes)
        return extract(probe(clip), bind_front_ends(config), config, cache=cache)

    def test_all_modalities_lie_on_one_grid(self, talking_clip):
        found = self.extracted(talking_clip)
        assert {len(rows) for rows in found.rows.values()} == {found.num_snippets}
        assert all(rows.present.mean() > 0.95 for rows in found.rows.values())
        assert list(found.rows) == ["face", "audio", "lips"]

    def test_a_silent_film_opts_out_of_audio_with_the_reason(self, silent_clip):
        found = self.extracted(silent_clip)
        [part] = found.opt_outs["audio"]
        assert (part.start_s, part.end_s, part.reason) == (0.0, found.end_s, NO_AUDIO_STREAM)
        assert not found.rows["audio"].present.any()
        assert found.rows["lips"].present.any()

    def test_kept_rows_are_the_rows_that_were_computed(self, tmp_path, talking_clip):
        cache = FeatureCache(tmp_path)
        first = self.extracted(talking_clip, cache)
        second = self.extracted(talking_clip, cache)
        for modality, rows in first.rows.items():
            assert (second.rows[modality].values == rows.values).all()
        assert second.opt_outs == first.opt_outs
        assert second.end_s == first.end_s

    def test_a_kept_row_is_not_computed_again(self, tmp_path, talking_clip, monkeypatch):
        cache = FeatureCache(tmp_path)
        self.extracted(talking_clip, cache)
        monkeypatch.setattr("mmmsba_plugin.media.video.FrameReader.__iter__", None)
        monkeypatch.setattr("mmmsba_plugin.media.audio.AudioReader.__iter__", None)
        self.extracted(talking_clip, cache)

    def test_another_stride_is_another_key(self, tmp_path, talking_clip):
        cache = FeatureCache(tmp_path)
        fine = self.extracted(talking_clip, cache, stride_s=0.04)
        coarse = self.extracted(talking_clip, cache, stride_s=0.2)
        assert fine.num_snippets > 4 * coarse.num_snippets

    def test_a_damaged_file_in_the_cache_counts_as_absent(self, tmp_path, talking_clip):
        cache = FeatureCache(tmp_path)
        first = self.extracted(talking_clip, cache)
        for file in tmp_path.rglob("*.safetensors"):
            file.write_bytes(file.read_bytes()[:100])
        again = self.extracted(talking_clip, cache)
        assert (again.rows["audio"].values == first.rows["audio"].values).all()

    def test_a_front_end_that_returns_too_few_rows_is_named(self, talking_clip, monkeypatch):
        monkeypatch.setattr(
            LogMel, "finish", lambda *_: FeatureRows(np.zeros((1, 2), np.float32), np.ones(1, bool))
        )
        with pytest.raises(FeatureError, match=r"LogMel returned 1 rows for .* one row a snippet"):
            self.extracted(talking_clip)


def test_a_key_changes_with_everything_it_is_made_of():
    parts = {"media": "ab", "settings": {"a": 1}}
    assert cache_key(parts) == cache_key(dict(reversed(parts.items())))
    assert cache_key(parts) != cache_key({**parts, "media": "ac"})


def test_a_front_end_setting_that_is_misspelt_is_refused():
    choice = FrontEndChoice(name="log-mel", settings={"num_mel": 40})
    with pytest.raises(ConfigError, match=r"num_mel.*Allowed keys: num_mels"):
        bind_front_ends(FeaturesConfig(front_ends={"audio": choice}))
