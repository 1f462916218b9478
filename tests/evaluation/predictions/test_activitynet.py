"""ActivityNet's results are read, whatever their labels."""

import pytest

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions import (
    read_predictions,
)

from .samples import ENTRIES, activitynet, write_file


@pytest.mark.parametrize("external", [[], {}, "none"])
def test_results_of_activitynet_are_told_by_their_keys(tmp_path, external):
    whole = {"external_data": external, "version": "1.3", "results": ENTRIES}
    predictions = read_predictions(write_file(tmp_path, "eval.json", whole))
    assert list(predictions.proposals.keys) == ["000001", "000002"]
    assert predictions.proposals.scores.tolist() == [0.9, 0.4]
    assert predictions.proposals.spans.tolist() == [[1.0, 2.5], [3.0, 3.2]]
    assert predictions.scores == {"000001": 0.9, "000002": 0.0}


def test_results_come_first_in_some_files(tmp_path):
    assert list(read_predictions(write_file(tmp_path, "eval.json", {"results": ENTRIES})).scores)


@pytest.mark.parametrize(
    "entry",
    [
        {"score": 0.9},
        {"segment": [1.0, 2.0]},
        {"score": 0.9, "segment": [1.0, 2.0, 3.0]},
        {"score": 0.9, "segment": 1.0},
        {"score": "high", "segment": [1.0, 2.0]},
        {"score": [0.9], "segment": [1.0, 2.0]},
        {"score": 10**400, "segment": [1.0, 2.0]},
        "0.9",
        None,
    ],
)
def test_a_malformed_entry_is_named_by_file_and_clip(tmp_path, entry):
    with pytest.raises(PredictionsError, match=r"results.json: clip 'b' has an entry"):
        read_predictions(activitynet(tmp_path, {"a": ENTRIES["000001"], "b": [entry]}))


def test_entries_must_be_a_list(tmp_path):
    with pytest.raises(PredictionsError, match=r"clip 'b' has an entry"):
        read_predictions(activitynet(tmp_path, {"b": 3}))


def test_results_that_break_off_are_refused(tmp_path):
    path = activitynet(tmp_path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(PredictionsError, match=r"is no JSON or breaks off"):
        read_predictions(path)


def test_results_must_be_by_clip(tmp_path):
    with pytest.raises(PredictionsError, match=r"has no 'results' by clip"):
        read_predictions(write_file(tmp_path, "eval.json", {"version": "1", "results": [1]}))
    with pytest.raises(PredictionsError, match=r"has no 'results' by clip"):
        read_predictions(write_file(tmp_path, "list.json", [1]), form="activitynet")


def test_results_must_name_a_clip_once(tmp_path):
    text = '{"version": "1", "results": {"a": [], "b": [], "a": []}}'
    with pytest.raises(PredictionsError, match=r"eval.json: 'a' comes twice"):
        read_predictions(write_file(tmp_path, "eval.json", text))
