"""Clips that are looked at only from where their audio begins."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import FeaturesConfig, LocalizationConfig, ModelConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.cache import FeatureCache, cache_key
from mmmsba_plugin.features.cached_walk import cache_inputs
from mmmsba_plugin.features.combine import LEADING_SILENCE
from mmmsba_plugin.features.extract import NOTHING_TRIMMED, extract
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.features.precomputed import save_rows
from mmmsba_plugin.features.walk import NO_AUDIO_STREAM
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.localization.proposals import ranked_proposals
from mmmsba_plugin.media.audio import AudioReader, read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.model.targets import boundary_distances, fake_labels
from mmmsba_plugin.record import Record
from mmmsba_plugin.report.html import render
from mmmsba_plugin.schema import Media, OptOut
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training.data import Clip, ClipDataset, Source

RATE_HZ = 16_000
STRIDE_S = 0.08
TRIMMED, WHOLE = FeaturesConfig(trim_silence=True), FeaturesConfig()
AUDIO_TRIMMED, AUDIO_WHOLE = TRIMMED.only(["audio"]), WHOLE.only(["audio"])


def noise(duration_s: float, *, silent_s: float = 0.0) -> np.ndarray:
    """Noise behind silence that was put before it."""
    samples = np.random.default_rng(5).normal(scale=0.1, size=round(duration_s * RATE_HZ))
    silence = np.zeros(round(silent_s * RATE_HZ))
    return np.concatenate([silence, samples]).clip(-1, 1).astype(np.float32)


def lossless(path, samples) -> Media:
    write_clip(path, [], fps_hz=25, audio=samples, audio_codec="pcm_s16le")
    return probe(path)


def rows_of(media: Media, config: FeaturesConfig, cache=None) -> ClipFeatures:
    return extract(media, bind_front_ends(config), config, cache=cache)


@pytest.fixture(scope="module")
def late_clip(talking_clip):
    """The talking clip, silent for its first 0.5 s."""
    media = probe(talking_clip)
    audio = read_audio(media).samples
    audio[:8_000] = 0.0
    audio[8_000:] += noise(3.0)[: audio.size - 8_000] / 10
    path = talking_clip.with_name("late.mp4")
    write_clip(path, FrameReader(media), fps_hz=25, audio=audio)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return FeatureCache(tmp_path_factory.mktemp("trimmed"))


@pytest.fixture(scope="module")
def whole(late_clip, cache):
    return rows_of(probe(late_clip), WHOLE, cache)


@pytest.fixture(scope="module")
def trimmed(late_clip, cache):
    return rows_of(probe(late_clip), TRIMMED, cache)


class TestFeatures:
    def test_the_grid_starts_at_the_first_cell_behind_the_silence(self, whole, trimmed):
        # 0.5 s of silence end within cell 6, or a codec's smear before; 7 cells are 0.56 s.
        assert trimmed.grid.start_s == pytest.approx(7 * STRIDE_S)
        assert trimmed.grid.stride_s == STRIDE_S
        assert trimmed.num_snippets == whole.num_snippets - 7
        assert trimmed.end_s == whole.end_s

    def test_every_modality_has_one_row_for_each_cell_that_is_left(self, trimmed):
        assert {len(rows) for rows in trimmed.rows.values()} == {trimmed.num_snippets}
        assert all(rows.present.mean() > 0.95 for rows in trimmed.rows.values())

    def test_rows_of_frames_are_those_of_the_whole_clip(self, whole, trimmed):
        for modality in ("face", "lips"):
            assert (trimmed.rows[modality].values == whole.rows[modality].values[7:]).all()
            assert (trimmed.rows[modality].present == whole.rows[modality].present[7:]).all()

    def test_every_modality_opts_out_of_what_was_cut_and_says_why(self, trimmed):
        cut = OptOut(start_s=0.0, end_s=trimmed.grid.start_s, reason=LEADING_SILENCE)
        for modality in ("face", "audio", "lips"):
            assert trimmed.opt_outs[modality][0] == cut

    @pytest.mark.parametrize("num_cells", [1, 6])
    def test_rows_of_audio_do_not_tell_how_long_the_silence_was(self, tmp_path, num_cells):
        at_once = lossless(tmp_path / "at_once.mkv", noise(2.0))
        late = lossless(tmp_path / "late.mkv", noise(2.0, silent_s=num_cells * STRIDE_S))
        expected = rows_of(at_once, AUDIO_TRIMMED).rows["audio"]
        rows = rows_of(late, AUDIO_TRIMMED).rows["audio"]
        # Sums of float32 in another order, as for blocks of other lengths.
        assert rows.values == pytest.approx(expected.values, abs=1e-4)
        assert (rows.present == expected.present).all()
        # Rows that were cut from the whole clip would: they are relative to its mean.
        cut = rows_of(late, AUDIO_WHOLE).rows["audio"].values[num_cells:]
        assert not np.allclose(cut, expected.values, atol=0.05)

    def test_audio_from_the_start_leaves_a_clip_as_it_is(self, tmp_path):
        media = lossless(tmp_path / "a.mkv", noise(1.0))
        features, expected = rows_of(media, AUDIO_TRIMMED), rows_of(media, AUDIO_WHOLE)
        assert (features.grid, features.opt_outs, features.warnings) == (
            expected.grid, expected.opt_outs, expected.warnings,
        )  # fmt: skip
        assert (features.rows["audio"].values == expected.rows["audio"].values).all()

    def test_a_clip_without_a_stream_of_audio_is_looked_at_whole(self, silent_clip):
        features = rows_of(probe(silent_clip), TRIMMED)
        assert (features.grid.start_s, features.warnings) == (0.0, ())
        assert [opt_out.reason for opt_out in features.opt_outs["audio"]] == [NO_AUDIO_STREAM]

    @pytest.mark.parametrize("silent_s", [1.0, 0.99])
    def test_a_clip_of_which_nothing_would_be_left_is_looked_at_whole(self, tmp_path, silent_s):
        samples = noise(1.0)
        samples[: round(silent_s * RATE_HZ)] = 0.0
        features = rows_of(lossless(tmp_path / "a.mkv", samples), AUDIO_TRIMMED)
        assert (features.grid.start_s, features.num_snippets) == (0.0, 13)
        assert features.warnings == (NOTHING_TRIMMED,)

    def test_one_cell_that_is_left_is_enough(self, tmp_path):
        samples = noise(1.0)
        samples[: round(0.95 * RATE_HZ)] = 0.0
        features = rows_of(lossless(tmp_path / "a.mkv", samples), AUDIO_TRIMMED)
        assert features.grid.start_s == pytest.approx(0.96)
        assert (features.num_snippets, features.warnings) == (1, ())

    def test_written_rows_lie_where_those_of_the_whole_clip_do(self, trimmed, tmp_path):
        for path, rows in save_rows(trimmed, tmp_path, "late"):
            values = np.load(path)
            assert np.isnan(values[:7]).all()
            assert (values[7:][rows.present] == rows.values[rows.present]).all()

    def test_a_clip_whose_file_was_not_read_is_refused(self):
        media = Media(path="gone.mp4", duration_s=3.0)
        with pytest.raises(FeatureError, match=r"silence cannot be trimmed from gone\.mp4, whose"):
            rows_of(media, AUDIO_TRIMMED)


class TestCache:
    def test_frames_are_walked_once_for_either_way(self, late_clip, tmp_path, monkeypatch):
        cache = FeatureCache(tmp_path)
        first = rows_of(probe(late_clip), WHOLE, cache)
        monkeypatch.setattr(FrameReader, "__iter__", None)
        features = rows_of(probe(late_clip), TRIMMED, cache)
        assert (features.rows["lips"].values == first.rows["lips"].values[7:]).all()

    def test_nothing_is_decoded_twice(self, late_clip, cache, trimmed, monkeypatch):
        monkeypatch.setattr(FrameReader, "__iter__", None)
        monkeypatch.setattr(AudioReader, "__iter__", None)
        again = rows_of(probe(late_clip), TRIMMED, cache)
        assert again.grid == trimmed.grid
        assert again.opt_outs == trimmed.opt_outs
        for modality, rows in trimmed.rows.items():
            assert (again.rows[modality].values == rows.values).all()

    def test_rows_of_whole_clips_are_kept_under_the_key_they_had(self, late_clip, cache, whole):
        media, config = probe(late_clip), WHOLE
        bound = bind_front_ends(config)["audio"]
        depends_on = cache_inputs(media, bound, config, 0.0)
        assert set(depends_on) == {"media", "front_end", "settings", "config"}
        assert set(depends_on["config"]) == {"stride_s", "media", "tracks"}
        assert cache.get(cache_key(depends_on)) is not None

    def test_a_silent_clip_is_known_as_such_the_second_time(self, tmp_path, monkeypatch):
        media = lossless(tmp_path / "a.mkv", np.zeros(RATE_HZ, np.float32))
        cache = FeatureCache(tmp_path / "cache")
        first = rows_of(media, AUDIO_TRIMMED, cache)
        monkeypatch.setattr(AudioReader, "__iter__", None)
        assert rows_of(media, AUDIO_TRIMMED, cache).warnings == first.warnings == (NOTHING_TRIMMED,)


@pytest.fixture(scope="module")
def report(detector, late_clip):
    return detector.detect(late_clip, trim_silence=True)


class TestDetector:
    def test_curves_start_where_the_grid_does(self, detector, late_clip, report):
        assert report.curves.start_s == pytest.approx(0.56)
        usual = detector.detect(late_clip)
        assert usual.curves.start_s == 0.0
        assert len(usual.curves.score) == len(report.curves.score) + 7
        assert usual.media.duration_s == report.media.duration_s

    def test_nothing_is_reported_before_it_on_the_clips_own_clock(
        self, detector, with_config, late_clip
    ):
        everywhere = detector.config.localization.model_copy(update={"onset": 0.0, "offset": 0.0})
        eager = with_config(localization=everywhere)
        report = eager.detect(late_clip, trim_silence=True)
        for span in (*report.segments, *report.proposals):
            assert 0.56 - 1e-9 <= span.start_s < span.end_s <= report.duration_s
        assert report.segments
        assert report.proposals

    def test_the_report_says_what_was_left_out(self, report):
        for modality in report.modalities.values():
            assert modality.opt_outs[0].reason == LEADING_SILENCE
        page = render(report)
        assert LEADING_SILENCE in page
        assert report.provenance.config["features"]["trim_silence"] is True

    def test_without_an_option_the_training_of_the_network_decides(
        self, detector, with_config, late_clip, report
    ):
        features = detector.config.features.model_copy(update={"trim_silence": True})
        taught = with_config(features=features)
        assert taught.detect(late_clip).curves == report.curves
        usual = taught.detect(late_clip, trim_silence=False)
        assert usual.curves == detector.detect(late_clip).curves
        assert usual.provenance.config["features"]["trim_silence"] is False
        assert detector.detect(late_clip).provenance.config["features"]["trim_silence"] is False

    def test_many_clips_are_trimmed_alike(self, detector, late_clip, report):
        [same] = detector.detect_many([late_clip], trim_silence=True)
        assert same.curves == report.curves

    def test_settings_from_before_it_existed_do_not_trim(self):
        older = WHOLE.model_dump(mode="json")
        del older["trim_silence"]
        assert FeaturesConfig.read(older).trim_silence is False


class TestDownstream:
    """A grid that starts later is a clip that starts later, and nothing else."""

    def test_scores_do_not_depend_on_where_the_grid_starts(self):
        torch.manual_seed(0)
        network = Ensemble.from_configs(
            [ModelConfig(dims={"audio": 3}, gru_units=4, dense_units=4)]
        ).eval()
        rng = np.random.default_rng(0)
        rows = FeatureRows(rng.normal(size=(40, 3)).astype(np.float32), np.ones(40, bool))
        at_zero = ClipFeatures(Grid(stride_s=0.1), 4.0, {"audio": rows})
        later = replace(at_zero, grid=Grid(start_s=0.7, stride_s=0.1), end_s=4.7)
        for config in (LocalizationConfig(), LocalizationConfig(window_s=1.5, warm_up_s=0.3)):
            first, second = predict(network, at_zero, config), predict(network, later, config)
            assert (first.scores == second.scores).all()
            assert (first.distances == second.distances).all()

    @given(
        st.lists(st.integers(0, 10), min_size=1, max_size=20),
        st.integers(0, 30),
        st.booleans(),
    )
    def test_segments_and_proposals_move_with_the_grid(self, tenths, first, regress):
        scores = np.array(tenths) / 10
        distances = np.ones((len(scores), 2)) if regress else None
        # Quarters of a second are exact, so that nothing moves by a rounding.
        grid = Grid(stride_s=0.25)
        moved_s, end_s = first * 0.25, len(scores) * 0.25
        later = Grid(moved_s, 0.25)
        segments = localize(scores, distances, later, end_s=end_s + moved_s)
        expected = localize(scores, distances, grid, end_s=end_s)
        assert segments == [
            (Segment(s.start_s + moved_s, s.end_s + moved_s), score) for s, score in expected
        ]
        spans, ranks = ranked_proposals(scores, distances, later, end_s=end_s + moved_s)
        others, same_ranks = ranked_proposals(scores, distances, grid, end_s=end_s)
        assert (ranks == same_ranks).all()
        assert (spans - moved_s == others).all()

    @given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.05, 2)), max_size=3), st.integers(0, 20))
    def test_targets_are_those_of_the_cells_that_are_left(self, spans, first):
        truth = [Segment(start_s, start_s + length_s) for start_s, length_s in spans]
        whole = Grid(stride_s=0.2)
        rest = Grid(whole.cell(first)[0], 0.2)
        labels = fake_labels(truth, rest, 40 - first)
        assert (labels == fake_labels(truth, whole, 40)[first:]).all()
        distances, inside = boundary_distances(truth, rest, 40 - first)
        all_distances, all_inside = boundary_distances(truth, whole, 40)
        assert (inside == all_inside[first:]).all()
        assert distances == pytest.approx(all_distances[first:], abs=1e-4)

    def test_a_network_learns_from_what_is_left(self, late_clip, cache, trimmed):
        source = Source(bind_front_ends(TRIMMED), TRIMMED, cache)
        record = Record(late_clip, truth=(Segment(0.0, 1.0),))
        dataset = ClipDataset([Clip(record, probe(late_clip))], source, ["classify"])
        features, targets = dataset[0]
        labels = targets["all"]["classify"]["labels"]
        assert features.num_snippets == len(labels) == trimmed.num_snippets
        # Fake up to 1.0 s; cells begin at 0.56 s.
        assert labels[:7].tolist() == [1, 1, 1, 1, 1, 1, 0]
