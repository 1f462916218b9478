"""Training, tuning and measuring through the detector's entry, as a host does them."""

import threading

import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import ConfigError, RunCancelledError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.run_control import Progress

SETTINGS = {
    "network": {"gru_units": 4, "dense_units": 4},
    "train": {"batch_size": 8, "max_epochs": 2},
}


@pytest.fixture(scope="module")
def entry():
    return lookup("detectors", "mmms-ba")


@pytest.fixture(scope="module")
def records(talking_head_dataset):
    return list(read_lavdf(talking_head_dataset))


def test_a_run_tells_of_clips_and_epochs_stops_when_asked_and_goes_on(
    entry, records, feature_cache, tmp_path
):
    stop, steps = threading.Event(), []

    def stop_after_an_epoch(step: Progress) -> None:
        steps.append(step)
        if step.stage == "epochs":
            stop.set()

    out = tmp_path / "trained"
    with pytest.raises(RunCancelledError):
        entry.fit(
            records,
            SETTINGS,
            out,
            cache=feature_cache,
            cancel=stop,
            on_progress=stop_after_an_epoch,
        )
    clips = [step for step in steps if step.stage == "clips"]
    assert [step.num_done for step in clips] == list(range(1, len(clips) + 1))
    assert clips[-1].num_done == clips[-1].total
    assert [step for step in steps if step.stage == "epochs"] == [Progress("epochs", 1, 2)]

    epochs = []
    folder = entry.fit(records, SETTINGS, out, cache=feature_cache, on_progress=epochs.append)
    assert epochs[-1] == Progress("epochs", 2, 2)
    assert entry.load(folder, cache=feature_cache).config.modalities == ("face", "audio", "lips")


def test_tuning_and_measuring_tell_how_far_they_are(
    entry, records, checkpoint, feature_cache, tmp_path
):
    steps = []
    folder = entry.finetune(
        records,
        {"max_epochs": 1},
        tmp_path / "tuned",
        checkpoint=checkpoint,
        cache=feature_cache,
        on_progress=steps.append,
    )
    assert steps[-1] == Progress("epochs", 1, 1)
    detector = entry.load(folder, cache=feature_cache)
    assert detector.config.tuned_from.checkpoint == checkpoint.name

    steps.clear()
    evaluation = entry.evaluate(detector, records, num_resamples=0, on_progress=steps.append)
    clips = [step for step in steps if step.stage == "clips"]
    assert [step.num_done for step in clips] == list(range(1, len(records) + 1))
    assert evaluation.num_real + evaluation.num_fake == len(records)
    assert 0 <= evaluation.intervals["auc"].value <= 1


def test_a_misspelt_setting_is_refused_before_anything_is_read(entry, tmp_path):
    with pytest.raises(ConfigError, match="Allowed keys"):
        entry.fit(iter(()), {"epochs": 3}, tmp_path)
    with pytest.raises(ConfigError, match="Allowed keys"):
        entry.finetune(iter(()), {"epochs": 3}, tmp_path)
