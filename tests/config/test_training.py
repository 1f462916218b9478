"""Settings of a training run, filled up by those of its preset."""

import pytest

from mmmsba_plugin.config import PRESET_DEFAULTS, FitConfig
from mmmsba_plugin.errors import ConfigError


@pytest.mark.parametrize("settings", [[], {"preset": ["mmmsba"]}, {"preset": "mmmsba", "train": 3}])
def test_settings_of_another_kind_are_refused_and_do_not_crash(settings):
    with pytest.raises(ConfigError, match=r"FitConfig: .*(valid dictionary|should be)"):
        FitConfig.read(settings)


def test_a_preset_fills_up_what_a_run_leaves_open():
    config = FitConfig.read({"preset": "mmmsba", "train": {"seed": 3}})
    defaults = PRESET_DEFAULTS["mmmsba"]
    assert config.train.seed == 3
    assert config.train.batch_size == defaults["train"]["batch_size"]
    assert config.false_positive_rate == defaults["false_positive_rate"]
    assert config.num_members == 8


def test_what_a_run_says_goes_before_its_preset():
    config = FitConfig.read({"preset": "mmmsba", "network": {"members": 1, "gru_units": 3}})
    (member,) = config.members({"audio": 2})
    assert (member.gru_units, member.dense_units, member.dims) == (3, 64, {"audio": 2})


def test_enc_dec_reads_face_and_audio_alone():
    assert set(FitConfig.read({"preset": "enc-dec"}).features.front_ends) == {"face", "audio"}
    lips = {"front_ends": {"lips": {"name": "lips-texture"}}}
    with pytest.raises(ConfigError, match="reads audio and face; leave one of them in"):
        FitConfig.read({"preset": "enc-dec", "features": lips})


def test_a_setting_of_the_network_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="gru_unit: Extra"):
        FitConfig.read({"network": {"gru_unit": 4}})


def test_the_paper_hides_nothing_and_stops_by_its_loss():
    train = FitConfig().train
    assert (train.modality_dropout, train.labels_of) == (0.0, "clip")
    assert (train.stop_by, train.keep_by) == ("loss", "loss")
    assert (train.loss.classification, train.loss.normaliser) == ("focal", "fake")


def test_the_reference_trains_as_the_authors_code_does():
    train = FitConfig.read({"preset": "reference"}).train
    assert (train.batch_size, train.decay, train.max_epochs, train.patience) == (64, 1.0, 1000, 10)
    assert (train.modality_dropout, train.labels_of) == (0.0, "clip")
    assert (train.stop_by, train.keep_by) == ("loss", "accuracy")
    assert (train.loss.classification, train.loss.normaliser) == ("cross-entropy", "snippets")


def test_a_setting_of_the_loss_leaves_the_rest_of_it_to_the_preset():
    train = {"train": {"loss": {"regression": "giou"}}}
    loss = FitConfig.read({"preset": "reference", **train}).train.loss
    assert (loss.regression, loss.classification) == ("giou", "cross-entropy")


def test_front_ends_are_taken_as_given():
    settings = {"features": {"front_ends": {"audio": {"name": "log-mel"}}}}
    config = FitConfig.read({"preset": "mmmsba", **settings})
    assert list(config.features.front_ends) == ["audio"]


@pytest.mark.parametrize(("media", "max_fps_hz"), [({}, 12.5), ({"max_fps_hz": None}, None)])
def test_none_is_a_setting_that_the_preset_does_not_take_back(media, max_fps_hz):
    config = FitConfig.read({"preset": "mmmsba", "features": {"media": media}})
    assert config.features.media.max_fps_hz == max_fps_hz
    assert FitConfig.read(config.model_dump(mode="json")).features == config.features
