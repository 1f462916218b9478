"""Weights on disk: what is saved is what is loaded, and everything else is refused politely."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmmsba_plugin.config import Calibration, FeaturesConfig, LocalizationConfig, ModelConfig
from mmmsba_plugin.errors import CheckpointError, CheckpointNotFoundError, ConfigError
from mmmsba_plugin.model.checkpoint import (
    CheckpointConfig,
    load_checkpoint,
    read_config,
    save_checkpoint,
    weights_sha256,
)
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.schema import ScoreThreshold

#: Keys that the first checkpoints did not have.
NEWER = {"score_thresholds", "calibration", "tuned_from", "caution"}

CARD = "# A model\n\nTrained for a test.\n"


def make(seed=0, **settings):
    torch.manual_seed(seed)
    dims = {"text": 2, "audio": 4, "zebra": 3, "face": 6}
    config = ModelConfig(**({"dims": dims, "gru_units": 8, "dense_units": 5} | settings))
    network = Ensemble.from_configs([config])
    for member in network:
        member.set_statistics({"audio": ([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0])})
    return network.eval()


def only(network):
    """Return the one member of an ensemble."""
    (member,) = network
    return member


def inputs():
    generator = torch.Generator().manual_seed(1)
    dims = {"audio": 4, "face": 6, "text": 2, "zebra": 3}
    return {name: torch.randn(2, 5, dim, generator=generator) for name, dim in dims.items()}


@pytest.fixture
def network():
    return make()


@pytest.fixture
def folder(tmp_path, network):
    save_checkpoint(tmp_path / "model", network, CheckpointConfig(members=network.configs), CARD)
    return tmp_path / "model"


def rewrite(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_loaded_network_gives_the_very_same_numbers(folder, network):
    loaded, _ = load_checkpoint(folder)
    assert not loaded.training
    with torch.no_grad():
        ours, theirs = network(inputs()), loaded(inputs())
    assert torch.equal(ours.heads["classify"], theirs.heads["classify"])
    assert torch.equal(ours.heads["regress"], theirs.heads["regress"])


def test_a_loaded_network_can_learn_on(folder):
    loaded, _ = load_checkpoint(folder)
    before = only(loaded).classify.weight.detach().clone()
    optimizer = torch.optim.SGD(loaded.parameters(), lr=0.1)
    loaded.train()(inputs()).heads["classify"].square().sum().backward()
    optimizer.step()
    assert not torch.equal(only(loaded).classify.weight, before)
    assert all(p.grad is not None for p in only(loaded).encoders.parameters())


def test_loading_draws_no_random_numbers(folder):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load_checkpoint(folder)
    assert torch.equal(torch.rand(3), expected)


def test_the_order_of_the_modalities_survives(folder, network):
    loaded, _ = load_checkpoint(folder)
    assert only(loaded).modalities == only(network).modalities == ("face", "audio", "text", "zebra")


def test_the_description_of_the_weights_survives(tmp_path, network):
    config = CheckpointConfig(
        members=network.configs,
        features=FeaturesConfig(stride_s=0.04),
        score_threshold=ScoreThreshold(value=0.7, false_positive_rate=0.01),
        score_thresholds=(ScoreThreshold(value=0.6, false_positive_rate=0.05),),
        calibration=Calibration(
            method="isotonic", scores=(0.1, 1 / 3), probabilities=(1 / 7, 6 / 7)
        ),
        front_end_versions={"audio": 2},
        trained_on="twelve clips",
        training={"seed": 3},
        metrics={"dev": {"auc": 0.9}},
    )
    saved = save_checkpoint(tmp_path, network, config, CARD)
    _, loaded = load_checkpoint(tmp_path)
    assert loaded == saved
    assert loaded == config.model_copy(update={"weights_sha256": weights_sha256(tmp_path)})
    assert read_config(tmp_path) == loaded


def test_a_checkpoint_from_before_calibration_is_read_as_uncalibrated(folder):
    file = folder / "config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps({k: v for k, v in settings.items() if k not in NEWER}))
    config = read_config(folder)
    assert config.calibration == Calibration(method="none")
    assert config.score_thresholds == ()


class TestScoreThresholds:
    @pytest.fixture
    def config(self):
        score_thresholds = [
            ScoreThreshold(value=value, false_positive_rate=rate)
            for value, rate in ((0.8, 0.01), (0.6, 0.05), (0.3, 0.1))
        ]
        return CheckpointConfig(
            members=[ModelConfig(dims={"audio": 1})],
            localization=LocalizationConfig(
                onset=0.5, offset=0.4, modality_thresholds={"audio": 0.2}
            ),
            score_threshold=ScoreThreshold(value=0.5),
            score_thresholds=score_thresholds,
        )

    @pytest.mark.parametrize(("rate", "threshold", "offset"), [(0.05, 0.6, 0.4), (0.1, 0.3, 0.3)])
    def test_a_threshold_is_that_of_clips_and_of_segments(self, config, rate, threshold, offset):
        at = config.at_false_positive_rate(rate)
        assert at.score_threshold == ScoreThreshold(value=threshold, false_positive_rate=rate)
        assert (at.localization.onset, at.localization.offset) == (threshold, offset)
        # All else stays.
        assert at.localization.modality_thresholds == config.localization.modality_thresholds
        assert at.score_thresholds == config.score_thresholds

    def test_a_rate_without_a_threshold_is_refused_with_those_that_have_one(self, config):
        with pytest.raises(ConfigError, match=r"rate of 0\.02: choose from 0\.01, 0\.05, 0\.1$"):
            config.at_false_positive_rate(0.02)

    def test_the_default_threshold_can_be_chosen_by_its_rate_too(self, config):
        default = ScoreThreshold(value=0.9, false_positive_rate=0.001)
        config = config.model_copy(update={"score_threshold": default})
        assert config.false_positive_rates == (0.001, 0.01, 0.05, 0.1)
        assert config.at_false_positive_rate(0.001).score_threshold == default

    def test_where_there_are_none_it_says_what_they_take(self, config):
        without = config.model_copy(update={"score_thresholds": ()})
        assert without.false_positive_rates == ()
        with pytest.raises(ConfigError, match=r"fewer than ten real clips.*train with more"):
            without.at_false_positive_rate(0.1)


def test_a_checkpoint_is_three_files_and_others_are_left_alone(tmp_path, network):
    (tmp_path / "log.txt").write_text("kept")
    save_checkpoint(tmp_path, network, CheckpointConfig(members=network.configs), CARD)
    names = {"README.md", "config.json", "log.txt", "model.safetensors"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert (tmp_path / "README.md").read_text() == CARD


def test_the_hash_is_that_of_the_weights(tmp_path):
    for name, seed in (("first", 0), ("same", 0), ("other", 1)):
        network = make(seed)
        save_checkpoint(tmp_path / name, network, CheckpointConfig(members=network.configs), CARD)
    first, same, other = (weights_sha256(tmp_path / n) for n in ("first", "same", "other"))
    assert first == same != other
    assert read_config(tmp_path / "first").weights_sha256 == first


def test_a_configuration_of_another_network_is_not_saved(tmp_path, network):
    config = CheckpointConfig(members=[ModelConfig(dims={"audio": 1})])
    with pytest.raises(CheckpointError, match=r"another network.*pass CheckpointConfig\(members="):
        save_checkpoint(tmp_path / "new", network, config, CARD)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_folder_without_a_checkpoint_is_distinguished_from_a_broken_one(tmp_path, name):
    with pytest.raises(CheckpointNotFoundError, match="give the folder that `mmmsba train` wrote"):
        load_checkpoint(tmp_path / name)


def test_missing_weights_are_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors; copy the whole folder"):
        load_checkpoint(folder)


def test_a_missing_configuration_is_named(folder):
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"weights but no config\.json; copy the whole"):
        load_checkpoint(folder)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_another_format_version_is_refused_before_its_keys_are_read(folder, version):
    rewrite(folder, format_version=version, other_key=True)
    with pytest.raises(CheckpointError, match=rf"version {version}, .* reads 3; train again"):
        load_checkpoint(folder)


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_configuration_that_is_no_json_object_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json is not a JSON object.*copy the whole"):
        load_checkpoint(folder)


def test_a_misspelt_key_is_refused(folder):
    rewrite(folder, treshold={"value": 0.5})
    with pytest.raises(CheckpointError, match=r"treshold: Extra inputs.*Allowed keys: format_ver"):
        load_checkpoint(folder)


def test_weights_that_were_changed_are_refused(folder):
    file = folder / "model.safetensors"
    state = load_file(file)
    state["members.0.classify.bias"] += 1
    save_file(state, file)
    with pytest.raises(CheckpointError, match=r"not the file that config\.json was written for"):
        load_checkpoint(folder)


def test_weights_of_another_network_do_not_fit(folder):
    save_file(make(gru_units=4).state_dict(), folder / "model.safetensors")
    rewrite(folder, weights_sha256="")
    with pytest.raises(
        CheckpointError, match=r"do not fit.*size mismatch for members\.0\.encoders.*train anew"
    ):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"gru_units": 10**9},
        {"dense_units": 10**9},
        {"input_units": 10**9},
        {"joint_layers": 10**7},
        {"dims": {"audio": 10**12}},
        {"dims": {f"m{number}": 1 for number in range(1000)}},
        {"heads": ["classify", *(f"h{number}" for number in range(1000))]},
    ],
    ids=str,
)
def test_an_absurdly_large_network_is_refused_before_it_is_made(folder, change):
    (member,) = json.loads((folder / "config.json").read_text())["members"]
    rewrite(folder, members=[member | change])
    (key,) = change
    with pytest.raises(CheckpointError, match=rf"members\.0\.{key}.*copy the whole folder again"):
        load_checkpoint(folder)


def test_a_network_of_too_many_members_is_refused(folder):
    (member,) = json.loads((folder / "config.json").read_text())["members"]
    rewrite(folder, members=[member] * 1000)
    with pytest.raises(CheckpointError, match="members: Tuple should have at most 16 items"):
        load_checkpoint(folder)


def test_the_largest_layers_that_are_allowed_fail_by_their_shapes(folder):
    (member,) = json.loads((folder / "config.json").read_text())["members"]
    # About 5 GB of weights, were they ever made.
    rewrite(folder, members=[member | {"gru_units": 2**14}])
    with pytest.raises(CheckpointError, match="do not fit the network"):
        load_checkpoint(folder)


@pytest.mark.parametrize("num_levels", [100, 200_000])
def test_a_configuration_that_is_nested_too_deeply_is_refused(folder, num_levels):
    nested = "[" * num_levels + "]" * num_levels
    text = (folder / "config.json").read_text().rstrip().removesuffix("}")
    for content in (nested, f'{text}, "training": {{"note": {nested}}}}}'):
        (folder / "config.json").write_text(content)
        with pytest.raises(CheckpointError, match=r"config\.json.*copy the whole folder"):
            load_checkpoint(folder)


def test_a_configuration_of_absurd_length_is_not_read(folder):
    with (folder / "config.json").open("r+b") as stream:
        stream.truncate(2**40)
    with pytest.raises(CheckpointError, match="is over 64 MiB; copy the whole folder"):
        load_checkpoint(folder)


def rewrite_weights(folder, change):
    """Save changed weights, with a configuration that does not mind."""
    file = folder / "model.safetensors"
    save_file({name: change(tensor) for name, tensor in load_file(file).items()}, file)
    rewrite(folder, weights_sha256="")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_converted(folder, network, dtype):
    rewrite_weights(folder, lambda tensor: tensor.to(dtype))
    loaded, _ = load_checkpoint(folder)
    assert {tensor.dtype for tensor in loaded.state_dict().values()} == {torch.float32}
    with torch.no_grad():
        ours, theirs = network(inputs()).scores, loaded(inputs()).scores
    torch.testing.assert_close(theirs, ours, rtol=0, atol=0.02)


@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.complex64])
def test_weights_that_are_no_floating_point_numbers_are_refused(folder, dtype):
    rewrite_weights(folder, lambda tensor: tensor.to(dtype))
    with pytest.raises(CheckpointError, match=r"not floating-point numbers; copy the whole"):
        load_checkpoint(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_not_finite_are_refused(folder, value):
    rewrite_weights(folder, lambda tensor: torch.full_like(tensor, value, dtype=torch.float64))
    with pytest.raises(CheckpointError, match=r"members\.0.* not finite.*or train anew"):
        load_checkpoint(folder)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_a_pickle_is_refused_and_never_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    rewrite(folder, weights_sha256="")
    with pytest.raises(CheckpointError, match=r"is not a safetensors file.*copy the whole folder"):
        load_checkpoint(folder)
    assert not (tmp_path / "exploded").exists()


def interrupt_after(monkeypatch, num_moves):
    """Let so many files be moved into place, then fail as a full disk would."""
    replace, moves = Path.replace, []

    def failing(self, target):
        if len(moves) == num_moves:
            raise OSError("no space left on device")
        moves.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)


@pytest.mark.parametrize("num_moves", [0, 1, 2])
def test_an_interrupted_first_save_leaves_no_checkpoint(tmp_path, network, monkeypatch, num_moves):
    interrupt_after(monkeypatch, num_moves)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(tmp_path, network, CheckpointConfig(members=network.configs), CARD)
    with pytest.raises((CheckpointNotFoundError, CheckpointError)):
        load_checkpoint(tmp_path)
    assert not list(tmp_path.glob(".saving-*"))


def test_an_interrupted_save_keeps_the_old_checkpoint(folder, network, monkeypatch):
    interrupt_after(monkeypatch, 0)
    other = make(seed=5)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(folder, other, CheckpointConfig(members=other.configs), CARD)
    loaded, _ = load_checkpoint(folder)
    assert torch.equal(only(loaded).classify.weight, only(network).classify.weight)


@pytest.mark.parametrize("num_moves", [1, 2])
def test_a_save_interrupted_half_way_is_never_loaded(folder, monkeypatch, num_moves):
    interrupt_after(monkeypatch, num_moves)
    other = make(seed=5)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(folder, other, CheckpointConfig(members=other.configs), CARD)
    with pytest.raises(CheckpointError, match="saving or copying was interrupted"):
        load_checkpoint(folder)
