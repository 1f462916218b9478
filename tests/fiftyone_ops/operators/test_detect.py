"""Tests of the operator that detects: its form, and a call from Python."""

import sys

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionContext, ExecutionError

from fiftyone_ops.settings import DetectSettings
from fiftyone_ops.tasks.detect import annotate
from mmmsba_plugin.errors import ConfigError

URI = "@mmmsba/fiftyone_ops/detect_forgeries"


def form_of(dataset: fo.Dataset, **params) -> dict:
    request = {"dataset_name": dataset.name, "view": [], "params": params}
    return foo.get_operator(URI).resolve_input(ExecutionContext(request)).type.properties


def test_called_from_python_it_returns_what_it_did(named_dataset, toy):
    result = foo.get_operator(URI)(named_dataset, detector=toy).result
    assert result["verdicts"] == {"fake": 2, "not flagged": 2, "abstained": 1, "error": 2}
    assert named_dataset.exists("forgeries_verdict").count() == 7


def test_the_form_asks_what_the_settings_have_and_offers_registered_detectors(named_dataset, toy):
    form = form_of(named_dataset)
    assert set(form) >= set(DetectSettings.model_fields) - {"existing"} | {"target"}
    assert set(form["detector"].type.values) >= {"mmms-ba", "toy"}
    assert form["curves"].default is True


def test_the_form_asks_what_to_do_with_earlier_labels_once_there_are_some(named_dataset, toy):
    assert "existing" not in form_of(named_dataset)
    annotate(named_dataset, detector=toy)
    assert form_of(named_dataset)["existing"].type.values == ["resume", "skip", "overwrite"]


def test_the_form_says_that_weights_are_missing(named_dataset, unbundled):
    assert "There are no weights here" in form_of(named_dataset)["no_weights"].view.label


def test_the_form_shows_the_caution_of_the_weights(named_dataset, tmp_path):
    form = form_of(named_dataset, checkpoint=str(tmp_path))
    assert "caution" not in form
    (tmp_path / "config.json").write_text('{"caution": "They miss most."}', encoding="utf-8")
    assert form_of(named_dataset, checkpoint=str(tmp_path))["caution"].view.label == (
        "They miss most."
    )


def test_the_form_refuses_a_threshold_out_of_bounds(named_dataset):
    assert form_of(named_dataset, threshold=7)["invalid"].invalid


def test_a_misspelt_option_is_refused_from_python_too(named_dataset):
    with pytest.raises(ConfigError, match="treshold"):
        foo.get_operator(URI)(named_dataset, treshold=0.2)


def test_the_form_is_not_to_be_sent_over_frames():
    frames = fo.Dataset()
    frames.add_sample(fo.Sample(filepath="face.png"))
    refused = form_of(frames)["refused"]
    assert refused.invalid
    assert "choose a dataset of videos" in refused.error_message
    frames.delete()


def test_a_plugin_of_another_version_refuses_to_run(named_dataset, toy, monkeypatch):
    operators = type(foo.get_operator(URI)).__module__
    loaded = sys.modules[operators.replace("operators.detect", "versions")]
    monkeypatch.setattr(loaded, "plugin_version", lambda: "0.0.1")
    with pytest.raises(ExecutionError, match=r"is of version 0\.0\.1 and the inst"):
        foo.get_operator(URI)(named_dataset, detector=toy)
