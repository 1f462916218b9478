"""Tests of forms: a question for each setting, and settings from what was filled in."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from fiftyone.operators import types

from fiftyone_ops.errors import TargetError
from fiftyone_ops.operators import forms
from fiftyone_ops.settings import DetectSettings, ExportSettings, ReviewSettings
from mmmsba_plugin.errors import ConfigError


def context(dataset, **values) -> SimpleNamespace:
    state = {"selected": [], "has_custom_view": False, "params": {}, "view": dataset.view()}
    return SimpleNamespace(**{**state, "dataset": dataset, **values})


def test_each_setting_is_asked_for_by_its_type_with_its_default():
    inputs = types.Object()
    forms.ask(inputs, DetectSettings, leave_out=("existing",))
    questions = inputs.properties
    assert set(questions) == DetectSettings.model_fields.keys() - {"existing"}
    assert isinstance(questions["curves"].type, types.Boolean)
    assert isinstance(questions["threshold"].type, types.Number)
    assert isinstance(questions["checkpoint"].type, types.String)
    assert (questions["curves"].default, questions["threshold"].default) == (True, None)


def test_a_choice_is_a_list_whether_it_is_known_before_or_now():
    inputs = types.Object()
    forms.ask(inputs, ReviewSettings, choices={"label_field": ["forgeries", "other"]})
    assert inputs.properties["reason"].type.values[0] == "uncertain"
    assert inputs.properties["label_field"].type.values == ["forgeries", "other"]


def test_what_is_empty_was_not_filled_in_and_what_is_unknown_is_for_others():
    settings = forms.read(
        {"folder": "out", "formats": "", "padding_s": None, "target": "view"}, ExportSettings
    )
    assert settings == ExportSettings(folder=Path("out"))


def test_a_wrong_value_is_refused_with_its_name():
    with pytest.raises(ConfigError, match="padding_s"):
        forms.read({"folder": "out", "padding_s": -1}, ExportSettings)


@pytest.mark.parametrize(
    ("values", "choices"),
    [
        ({}, ["dataset"]),
        ({"has_custom_view": True}, ["view", "dataset"]),
        ({"selected": ["a"]}, ["selected", "dataset"]),
    ],
)
def test_a_form_offers_the_samples_that_there_are(dataset, values, choices):
    inputs = types.Object()
    forms.ask_target(context(dataset, **values), inputs)
    assert inputs.properties["target"].type.values == choices
    assert inputs.properties["target"].default == choices[0]


def test_the_target_is_what_was_chosen(named_dataset):
    first = named_dataset.first().id
    selected = context(named_dataset, selected=[first], params={"target": "selected"})
    assert forms.target_of(selected).values("id") == [first]
    assert forms.target_of(context(named_dataset)) is named_dataset
    view = named_dataset.limit(2)
    chosen = context(named_dataset, params={"target": "view"}, view=view)
    assert forms.target_of(chosen) is view
    with pytest.raises(TargetError, match="'everything' is none of selected, view, dataset"):
        forms.target_of(context(named_dataset, params={"target": "everything"}))
    with pytest.raises(TargetError, match="no samples are selected"):
        forms.target_of(context(named_dataset, params={"target": "selected"}))


def test_a_refused_form_cannot_be_sent_and_a_warning_only_tells():
    inputs = types.Object()
    forms.refuse(inputs, "unfit", "install it")
    forms.warn(inputs, "no_weights", "there are none")
    assert inputs.properties["unfit"].invalid
    assert inputs.properties["unfit"].error_message == "install it"
    assert not inputs.properties["no_weights"].invalid


def test_what_is_wrong_is_shown_in_the_form_before_it_is_sent(dataset):
    inputs = types.Object()
    forms.refuse_invalid(context(dataset, params={"threshold": 0.7}), inputs, DetectSettings)
    assert inputs.properties == {}
    forms.refuse_invalid(context(dataset, params={"threshold": 7}), inputs, DetectSettings)
    assert inputs.properties["invalid"].invalid
    assert "threshold" in inputs.properties["invalid"].error_message


def test_a_misspelt_setting_is_refused():
    forms.require_known({"target": "view", "threshold": 0.2, "checkpoint": None}, DetectSettings)
    with pytest.raises(ConfigError, match="treshold"):
        forms.require_known({"treshold": 0.2}, DetectSettings)
