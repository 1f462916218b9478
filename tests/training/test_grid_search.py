"""Grid search: every combination is trained once, and the best comes first."""

import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.checkpoint import read_config
from mmmsba_plugin.training.grid_search import combinations, grid_search, with_values

from .runs import TINY


def test_every_combination_comes_once():
    grid = {"a": [1, 2], "b.c": ["x", "y"], "d": [0]}
    assert [tuple(values.values()) for values in combinations(grid)] == [
        *((1, "x", 0), (1, "y", 0), (2, "x", 0), (2, "y", 0))
    ]


@pytest.mark.parametrize("values", [0.001, "ab", []])
def test_a_setting_without_a_list_of_values_is_refused(values):
    with pytest.raises(ConfigError, match=r"train.seed of the grid needs a list of values"):
        list(combinations({"train.seed": values}))


def test_values_are_put_in_place_and_settings_stay_as_they_were():
    settings = {"train": {"loss": {"focal_gamma": 1.0}}}
    changed = with_values(settings, {"train.loss.focal_alpha": 0.5, "preset": "fast"})
    assert changed == {
        "train": {"loss": {"focal_gamma": 1.0, "focal_alpha": 0.5}},
        "preset": "fast",
    }
    assert settings == {"train": {"loss": {"focal_gamma": 1.0}}}


def test_a_wrong_value_is_told_before_anything_is_trained(tmp_path):
    grid = {"network.gru_units": [4, -1]}
    with pytest.raises(ConfigError, match="gru_units"):
        grid_search(iter(()), {}, grid, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.story
def test_each_combination_is_trained_in_a_folder_and_the_best_comes_first(
    talking_head_dataset, feature_cache, tmp_path
):
    settings = with_values(TINY.model_dump(mode="json"), {"train.max_epochs": 1})
    grid = {"train.learning_rate": [0.0001, 0.01]}
    records = read_lavdf(talking_head_dataset)
    trials = grid_search(records, settings, grid, tmp_path, cache=feature_cache)
    assert trials[0].rank >= trials[1].rank
    for trial in trials:
        trained = read_config(trial.fitted.checkpoint).training
        assert trained["learning_rate"] == trial.values["train.learning_rate"]
    assert {trial.fitted.checkpoint.name for trial in trials} == {"1", "2"}
