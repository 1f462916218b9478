"""The recipe is read from settings: what differs from the paper, and what it leaves open."""

import pytest

from mmmsba_plugin import weights
from mmmsba_plugin.config import FitConfig, ModelConfig
from mmmsba_plugin.model.checkpoint import CheckpointConfig, read_config
from mmmsba_plugin.schema import ScoreThreshold
from mmmsba_plugin.training import recipe
from mmmsba_plugin.training.recipe import (
    OPEN_SETTINGS,
    difference_lines,
    differences,
    recipe_lines,
    settings_of,
)


def test_nothing_of_the_paper_differs_from_it():
    assert differences(FitConfig()) == []
    assert list(difference_lines(FitConfig())) == ["Nothing differs from the preset `paper`."]


def test_a_setting_that_differs_says_whether_the_paper_states_it():
    config = FitConfig.read({"train": {"batch_size": 3, "loss": {"focal_gamma": 1.0}, "seed": 7}})
    assert [(d.setting, d.paper, d.here, d.is_stated) for d in differences(config)] == [
        ("batch_size", "32", "3", True),
        ("loss.focal_gamma", "2", "1", False),
    ]


def test_networks_that_differ_are_counted():
    members = [{"gru_units": 4}, {"gru_units": 4}, {"heads": ["classify"]}]
    values = {d.setting: d.here for d in differences(FitConfig(network={"members": members}))}
    assert values["members"] == "3"
    assert values["gru_units"] == "4 in 2 of 3, 300 in 1 of 3"
    assert values["heads"] == "classify, regress in 2 of 3, classify in 1 of 3"


@pytest.mark.parametrize("preset", ["paper", "reference", "enc-dec", "mmmsba"])
def test_every_choice_of_a_preset_can_be_told(preset):
    config = FitConfig.read({"preset": preset})
    assert all(setting.choice(config) and setting.reason for setting in OPEN_SETTINGS)
    assert len({setting.name for setting in OPEN_SETTINGS}) == len(OPEN_SETTINGS)


def test_the_page_that_ships_is_that_of_the_presets():
    assert recipe.PAGE.read_text(encoding="utf-8") == recipe.page(), (
        "write it anew with: python -m mmmsba_plugin.training.recipe"
    )


class TestSettings:
    @pytest.fixture
    def config(self):
        return CheckpointConfig(
            members=[ModelConfig(dims={"audio": 3}, gru_units=7)],
            training={"preset": "mmmsba", "batch_size": 4, "epochs": 9},
            score_threshold=ScoreThreshold(value=0.3, false_positive_rate=0.2),
        )

    def test_they_are_those_of_the_checkpoint(self, config):
        settings = settings_of(config)
        assert settings.members({"audio": 3}) == config.members
        assert (settings.preset, settings.train.batch_size) == ("mmmsba", 4)
        assert settings.false_positive_rate == 0.2

    def test_what_an_older_checkpoint_does_not_state_is_that_of_its_preset(self, config):
        assert settings_of(config).train.labels_of == "present"

    def test_a_threshold_that_was_stated_is_known(self, config):
        training = {"preset": "paper", "score_threshold": 0.5}
        settings = settings_of(config.model_copy(update={"training": training}))
        assert settings.score_threshold == 0.5
        assert "score_threshold`) | 0.5 |" in "\n".join(recipe_lines(settings))

    def test_without_a_rate_it_is_that_of_the_preset(self, config):
        config = config.model_copy(update={"score_threshold": ScoreThreshold(value=0.3)})
        assert settings_of(config).false_positive_rate == 0.05

    def test_an_unknown_preset_is_taken_to_train_as_the_paper(self, config):
        theirs = config.model_copy(update={"training": {"preset": "theirs"}})
        assert settings_of(theirs).preset == "paper"


def test_the_bundled_card_says_what_its_configuration_does():
    if not (weights.HERE / "config.json").is_file():
        pytest.skip("this source tree has no weights in mmmsba_plugin/weights")
    lines = "\n".join(recipe_lines(settings_of(read_config(weights.HERE))))
    card = (weights.HERE / "README.md").read_text(encoding="utf-8")
    assert f"<!-- recipe: start -->\n{lines}\n<!-- recipe: end -->" in card, (
        "write it anew with: python -m tests.benchmarks.sections"
    )
