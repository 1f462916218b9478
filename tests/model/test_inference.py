"""A network's word on a clip of any length, with tensors left behind."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import LocalizationConfig, ModelConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.inference import join_predictions, predict, windows
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid

DIMS = {"face": 5, "audio": 4, "lips": 3}
GRID = Grid(stride_s=0.1)


@pytest.fixture(scope="module")
def network() -> Ensemble:
    torch.manual_seed(0)
    return Ensemble.from_configs([ModelConfig(dims=DIMS, gru_units=6, dense_units=5)]).eval()


def clip(num_snippets: int, *, absent: str | None = None) -> ClipFeatures:
    rng = np.random.default_rng(num_snippets)
    rows = {
        name: FeatureRows(
            rng.normal(size=(num_snippets, dim)).astype(np.float32) * (name != absent),
            np.full(num_snippets, name != absent),
        )
        for name, dim in DIMS.items()
    }
    return ClipFeatures(grid=GRID, end_s=num_snippets * GRID.stride_s, rows=rows)


@given(st.integers(0, 300), st.integers(1, 60), st.integers(0, 29))
def test_what_windows_keep_tiles_the_clip(num_snippets, size, warm_up):
    warm_up = min(warm_up, (size - 1) // 2)
    all_windows = list(windows(num_snippets, size=size, warm_up=warm_up))
    indices = [index for w in all_windows for index in range(w.keep_start, w.keep_stop)]
    assert indices == list(range(num_snippets))
    assert all(w.stop - w.start <= size for w in all_windows)


@given(st.integers(1, 300), st.integers(3, 60))
def test_an_edge_that_is_not_the_clips_own_is_never_kept(num_snippets, size):
    warm_up = (size - 1) // 2
    for w in windows(num_snippets, size=size, warm_up=warm_up):
        assert w.start == 0 or w.keep_start - w.start >= warm_up
        assert w.stop == num_snippets or w.stop - w.keep_stop >= warm_up


def test_a_clip_that_fits_a_window_is_predicted_whole(network):
    features = clip(40)
    whole = predict(network, features, LocalizationConfig(window_s=4.0))
    inputs = {name: torch.from_numpy(rows.values)[None] for name, rows in features.rows.items()}
    with torch.inference_mode():
        expected = network(inputs).scores[0].numpy()
    # float32 sums in another batch order.
    assert whole.scores == pytest.approx(expected, abs=1e-6)


def test_windows_agree_with_the_whole_away_from_their_edges():
    # Without attention across snippets, context fades with the Bi-GRU's memory alone, so
    # the warm-up has something to be long enough for.
    torch.manual_seed(0)
    local = Ensemble.from_configs(
        [ModelConfig(dims=DIMS, gru_units=6, dense_units=5, attention="none")]
    ).eval()
    features = clip(120)
    whole = predict(local, features, LocalizationConfig(window_s=12.0)).scores
    windowed = predict(local, features, LocalizationConfig(window_s=8.0, warm_up_s=3.0)).scores
    assert windowed == pytest.approx(whole, abs=1e-3)


def test_predictions_of_chunks_join_into_that_of_the_clip(network):
    whole = predict(network, clip(40), LocalizationConfig(window_s=4.0))
    joined = join_predictions([(whole, slice(0, 25)), (whole, slice(25, 40))])
    assert (joined.scores == whole.scores).all()
    assert (joined.distances == whole.distances).all()
    assert (joined.candidates[0] == whole.candidates[0]).all()
    assert {m: len(s) for m, s in joined.by_modality.items()} == dict.fromkeys(DIMS, 40)


def test_scores_by_modality_are_those_of_the_network_given_nothing_else(network):
    features = clip(20)
    alone = predict(network, features, LocalizationConfig()).by_modality["audio"]
    with torch.inference_mode():
        expected = network({"audio": torch.from_numpy(features.rows["audio"].values)[None]})
    assert alone == pytest.approx(expected.scores[0].numpy(), abs=1e-6)


def test_an_absent_modality_has_no_scores(network):
    prediction = predict(network, clip(20, absent="audio"), LocalizationConfig())
    assert np.isnan(prediction.by_modality["audio"]).all()
    assert np.isfinite(prediction.scores).all()


def test_a_snippet_without_any_modality_has_no_score(network):
    features = clip(20)
    for rows in features.rows.values():
        rows.present[7:9] = False
        rows.values[7:9] = 0.0
    prediction = predict(network, features, LocalizationConfig())
    assert np.flatnonzero(np.isnan(prediction.scores)).tolist() == [7, 8]


def test_a_gap_costs_nothing_and_has_no_scores(network):
    start, gap = clip(40), 10_000
    rows = {
        name: FeatureRows(
            np.concatenate([at_start.values, np.zeros((gap, at_start.dim), np.float32)]),
            np.concatenate([at_start.present, np.zeros(gap, dtype=bool)]),
        )
        for name, at_start in start.rows.items()
    }
    lengths = []
    handle = network.register_forward_pre_hook(
        lambda _, inputs: lengths.append(next(iter(inputs[0].values())).shape[-2])
    )
    features = ClipFeatures(grid=GRID, end_s=(40 + gap) * GRID.stride_s, rows=rows)
    prediction = predict(network, features, LocalizationConfig(window_s=4.0, warm_up_s=1.0))
    handle.remove()
    assert sum(lengths) < gap / 10
    assert np.isfinite(prediction.scores[:40]).all()
    assert np.isnan(prediction.scores[40:]).all()
    assert len(prediction.scores) == len(prediction.distances) == 40 + gap


def test_a_network_without_a_boundary_head_gives_no_distances():
    network = Ensemble.from_configs(
        [ModelConfig(dims=DIMS, gru_units=4, dense_units=4, heads=("classify",))]
    )
    assert predict(network, clip(8), LocalizationConfig()).distances is None


def test_features_of_another_length_are_refused_and_named(network):
    features = clip(8)
    features.rows["audio"] = FeatureRows(np.zeros((8, 9), np.float32), np.ones(8, bool))
    with pytest.raises(FeatureError, match="wants 4 features of audio, got 9; use the front-ends"):
        predict(network, features, LocalizationConfig())
