"""Predictions are written for the evaluations of this field, and read back."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.evaluate import measure
from mmmsba_plugin.evaluation.predictions import (
    matched,
    read_predictions,
    write_activitynet,
    write_submission,
)
from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions, SpanTable
from mmmsba_plugin.record import Record
from mmmsba_plugin.report.benchmark_formats import submission_rows
from mmmsba_plugin.segment import Segment

from .samples import (
    rows_of,
)

#: Names that a dataset may have; none with what a line cannot hold.
keys = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff"),
    min_size=1,
    max_size=20,
)
finite_s = st.floats(0, 1000).map(lambda time_s: round(time_s, 2))
probabilities = st.floats(0, 1)
proposals = st.lists(st.tuples(probabilities, finite_s, finite_s), max_size=5)
datasets = st.dictionaries(keys, st.tuples(probabilities, proposals), min_size=1, max_size=5)


def predictions_of(dataset):
    table = {
        key: (np.array([row[1:] for row in rows]).reshape(-1, 2), [row[0] for row in rows])
        for key, (_, rows) in dataset.items()
    }
    return Predictions(
        name="ours",
        scores={key: score for key, (score, _) in dataset.items()},
        proposals=SpanTable.of_proposals(table),
    )


@given(datasets)
def test_a_submission_reads_back_within_its_rounding(tmp_path_factory, dataset):
    folder = tmp_path_factory.mktemp("submission")
    predictions = predictions_of(dataset)
    assert [path.name for path in write_submission(predictions, folder)] == [
        "prediction.json",
        "prediction.txt",
    ]
    back = read_predictions(folder, form="av-deepfake1m")
    assert back.scores == predictions.scores
    for key, rows in rows_of(back).items():
        expected = sorted((row for row in dataset[key][1] if round(row[0], 4)), key=lambda r: -r[0])
        assert np.allclose(rows, expected or [[0.0, 0.0, 0.0]], rtol=0, atol=0.5001e-4)
    assert list(rows_of(back)) == list(dataset)


@given(datasets)
def test_results_of_activitynet_read_back_as_they_are(tmp_path_factory, dataset):
    path = tmp_path_factory.mktemp("activitynet") / "results.json"
    # Strokes would be taken for folders.
    by_name = {f"{i:03}.v1": clip for i, clip in enumerate(dataset.values())}
    write_activitynet(
        predictions_of({f"test/{key}.mp4": clip for key, clip in by_name.items()}), path
    )
    back = matched(read_predictions(path), [f"test/{key}.mp4" for key in by_name])
    assert rows_of(back) == {
        f"test/{key}.mp4": [list(row) for row in rows] for key, (_, rows) in by_name.items()
    }


@given(proposals)
def test_rows_of_a_submission_are_ranked_and_never_empty(rows):
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    submission = submission_rows(table[:, 1:], table[:, 0])
    assert [row[0] for row in submission] == sorted((row[0] for row in submission), reverse=True)
    assert submission == [[0.0, 0.0, 0.0]] or all(row[0] > 0 for row in submission)


def test_a_submission_holds_each_clip_that_was_evaluated(tmp_path):
    predictions = Predictions(
        "ours", {"b.mp4": 0.2}, SpanTable.of_proposals({"a.mp4": ([[1, 2]], [0.5])})
    )
    write_submission(predictions, tmp_path / "new" / "folder")
    rows = json.loads((tmp_path / "new" / "folder" / "prediction.json").read_text())
    assert rows == {"a.mp4": [[0.5, 1.0, 2.0]], "b.mp4": [[0.0, 0.0, 0.0]]}
    assert (tmp_path / "new" / "folder" / "prediction.txt").read_text() == "b.mp4;0.2\n"


def test_a_system_that_does_not_localize_submits_scores_alone(tmp_path):
    assert write_submission(Predictions("ours", {"a.mp4": 0.2}), tmp_path) == [
        tmp_path / "prediction.txt"
    ]


def test_a_system_that_does_not_detect_submits_proposals_alone(tmp_path):
    predictions = Predictions("ours", {}, SpanTable.of_proposals({"a.mp4": ([[1, 2]], [7.5])}))
    assert write_submission(predictions, tmp_path) == [tmp_path / "prediction.json"]


def test_a_failed_submission_leaves_nothing_behind(tmp_path):
    with pytest.raises(PredictionsError, match=r"'a\\nb.mp4' holds a line break"):
        write_submission(Predictions("ours", {"a\nb.mp4": 0.2}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_clips_of_one_file_name_keep_their_folders_in_activitynets_format(tmp_path):
    spans = {"id1/real.mp4": ([[1, 2]], [0.5]), "id2/real.mp4": ([[3, 4]], [0.6])}
    write_activitynet(Predictions("ours", {}, SpanTable.of_proposals(spans)), tmp_path / "r.json")
    predictions = read_predictions(tmp_path / "r.json")
    assert list(predictions.proposals.keys) == ["id1/real", "id2/real"]
    assert matched(predictions, list(spans)).proposals.of("id2/real.mp4").tolist() == [[3.0, 4.0]]


def test_clips_that_differ_by_their_extension_alone_are_refused(tmp_path):
    predictions = Predictions("o", {"a.mp4": 0.5, "a.mkv": 0.5}, SpanTable.of_proposals({}))
    with pytest.raises(PredictionsError, match=r"differ by their extension alone"):
        write_activitynet(predictions, tmp_path / "r.json")


def test_without_segments_there_is_nothing_to_write(tmp_path):
    with pytest.raises(PredictionsError, match=r"ours has no segments with scores"):
        write_activitynet(Predictions("ours", {"a.mp4": 0.5}), tmp_path / "r.json")
    ground_truth = Predictions("ours", {}, SpanTable.of_ground_truth({"a.mp4": [[1.0, 2.0]]}))
    with pytest.raises(PredictionsError, match=r"ours has no segments with scores"):
        write_activitynet(ground_truth, tmp_path / "r.json")


def test_metrics_of_a_file_are_those_of_the_predictions_it_was_written_from(tmp_path):
    spans = {
        "test/0.mp4": ([[1.0, 2.0], [5.0, 6.0]], [0.9, 0.1]),
        "test/1.mp4": ([[0.5, 1.5]], [0.8]),
        "test/2.mp4": ([], []),
    }
    scores = {"test/0.mp4": 0.9, "test/1.mp4": 0.8, "test/2.mp4": 0.05}
    truth = {"test/0.mp4": (Segment(1, 2),), "test/1.mp4": (Segment(0.5, 1.4),), "test/2.mp4": ()}
    ground_truth = GroundTruth.of(
        Record(Path(key), truth=segments, key=key) for key, segments in truth.items()
    )
    predictions = Predictions("ours", scores, SpanTable.of_proposals(spans))
    write_submission(predictions, tmp_path)
    back = matched(read_predictions(tmp_path), ground_truth.keys)
    metrics = [
        measure(table, ground_truth, mode="voc", num_resamples=0).intervals
        for table in (predictions, back)
    ]
    assert {n: interval.value for n, interval in metrics[0].items()} == pytest.approx(
        {n: interval.value for n, interval in metrics[1].items()}, nan_ok=True
    )
