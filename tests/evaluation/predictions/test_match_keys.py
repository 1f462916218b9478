"""Clips of predictions are named as the dataset names them, or refused."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions import (
    matched,
)
from mmmsba_plugin.evaluation.tables import Predictions, SpanTable


def predictions_for(*names):
    """Build predictions in which each clip has a proposal of its own length."""
    proposals = {name: ([[0.0, 1.0 + index]], [0.5]) for index, name in enumerate(names)}
    return Predictions(
        name="theirs",
        scores={name: 0.1 * index for index, name in enumerate(names)},
        proposals=SpanTable.of_proposals(proposals),
        by_modality={"audio": {names[0]: 0.3}} if names else {},
    )


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["test/0.mp4", "test/1.mp4"], ["test/0.mp4", "test/1.mp4"]),
        (["/data/lavdf/test/0.mp4", "/data/lavdf/test/1.mp4"], ["test/0.mp4", "test/1.mp4"]),
        (["C:\\data\\test\\0.mp4", "C:\\data\\test\\1.mp4"], ["test/0.mp4", "test/1.mp4"]),
        (["./test/0.mp4", "./test/1.mp4"], ["test/0.mp4", "test/1.mp4"]),
        (["0.mp4", "1.mp4"], ["test/0.mp4", "test/1.mp4"]),
        (["0", "1"], ["test/0.mp4", "test/1.mp4"]),
        (["test/0", "test/1"], ["test/0.mp4", "test/1.mp4"]),
        (["id1/v.1/real.mp4", "id2/v.1/real.mp4"], ["id1/v.1/real.mp4", "id2/v.1/real.mp4"]),
        (["/d/id1/v/real.mp4", "/d/id2/v/real.mp4"], ["id1/v/real.mp4", "id2/v/real.mp4"]),
        (["a.v1", "a.v2"], ["test/a.v1.mp4", "test/a.v2.mp4"]),
        (["a.v1", "a.v2"], ["a.v1", "a.v2"]),
    ],
)
def test_clips_are_known_by_path_by_file_and_by_stem(names, keys):
    predictions = matched(predictions_for(*names), keys)
    assert predictions.scores == {keys[0]: 0.0, keys[1]: 0.1}
    assert [predictions.proposals.of(key).tolist() for key in keys] == [[[0.0, 1.0]], [[0.0, 2.0]]]
    assert predictions.by_modality == {"audio": {keys[0]: 0.3}}
    assert (list(predictions.unknown), list(predictions.missing)) == ([], [])


def test_what_matches_nothing_and_what_is_missing_are_told():
    predictions = matched(
        predictions_for("a.mp4", "z.mp4", "b.mp4"), ["x/b.mp4", "x/c.mp4", "x/a.mp4"]
    )
    assert list(predictions.unknown) == ["z.mp4"]
    assert list(predictions.missing) == ["x/c.mp4"]
    assert predictions.scores == {"x/b.mp4": 0.2, "x/a.mp4": 0.0}
    assert list(predictions.proposals.keys) == ["x/b.mp4", "x/a.mp4"]


def test_a_clip_with_a_score_alone_is_not_missing():
    predictions = Predictions(name="s", scores={"a.mp4": 0.4}, proposals=SpanTable.of_proposals({}))
    assert not matched(predictions, ["a.mp4"]).missing
    assert not matched(Predictions(name="s", scores={"a.mp4": 0.4}), ["a.mp4"]).missing


def test_clips_of_another_split_are_not_mistaken_for_those_of_one_name():
    predictions = matched(
        predictions_for("test/0.mp4", "train/1.mp4"), ["test/0.mp4", "test/1.mp4"]
    )
    assert list(predictions.unknown) == ["train/1.mp4"]
    assert list(predictions.missing) == ["test/1.mp4"]


def test_a_name_that_could_be_two_clips_is_refused():
    with pytest.raises(PredictionsError, match=r"'0.mp4' could be of any of 2 clips"):
        matched(predictions_for("0.mp4"), ["a/0.mp4", "b/0.mp4"])


def test_a_name_that_is_longer_than_one_clips_and_shorter_than_anothers_is_refused():
    with pytest.raises(PredictionsError, match=r"'x/0.mp4' could be of any of 2 clips"):
        matched(predictions_for("x/0.mp4"), ["0.mp4", "y/x/0.mp4"])


def test_of_two_clips_that_a_name_ends_with_it_is_of_the_longer():
    assert matched(predictions_for("/d/x/0.mp4"), ["0.mp4", "x/0.mp4"]).scores == {"x/0.mp4": 0.0}


def test_two_names_that_could_be_one_clip_are_refused():
    with pytest.raises(PredictionsError, match=r"'a/0.mp4' and 'b/0.mp4' both could be"):
        matched(predictions_for("a/0.mp4", "b/0.mp4"), ["0.mp4"])


def test_a_clip_that_is_named_in_full_is_not_ambiguous():
    names = ["0.mp4", "sub/0.mp4"]
    assert matched(predictions_for(*names), names).scores == {"0.mp4": 0.0, "sub/0.mp4": 0.1}


def test_other_folders_are_overlooked_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        predictions = matched(
            predictions_for("/copy/0.mp4", "/copy/1.mp4"), ["test/0.mp4", "test/1.mp4"]
        )
    assert predictions.scores == {"test/0.mp4": 0.0, "test/1.mp4": 0.1}
    assert "2 predictions lie in other folders than their clips" in caplog.text


def test_names_in_the_dataset_need_no_warning(caplog):
    with caplog.at_level(logging.WARNING):
        matched(predictions_for("0", "1"), ["test/0.mp4", "test/1.mp4"])
    assert not caplog.text


def test_predictions_for_another_dataset_are_refused():
    with pytest.raises(PredictionsError, match=r"none of 1 predictions .* 'x.mp4'"):
        matched(predictions_for("x.mp4"), ["a.mp4"])
    with pytest.raises(PredictionsError, match=r"none of 0 predictions"):
        matched(predictions_for(), ["a.mp4"])


def test_a_dataset_without_clips_knows_no_prediction():
    assert list(matched(predictions_for("a.mp4"), []).unknown) == ["a.mp4"]


@given(st.lists(st.text("ab./", min_size=1, max_size=6), unique=True, min_size=1, max_size=8))
def test_names_match_themselves_or_are_refused_as_ambiguous(names):
    try:
        predictions = matched(predictions_for(*names), names)
    except PredictionsError:
        paths = ["/".join(p for p in name.split("/") if p not in ("", ".")) for name in names]
        assert len(set(paths)) < len(paths)
    else:
        assert predictions.scores == predictions_for(*names).scores
