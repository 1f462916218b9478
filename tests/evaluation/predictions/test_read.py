"""Predictions are read in any format, scored by clip, and refused by name."""

import json
import zipfile

import pytest

from mmmsba_plugin.errors import PredictionsError, ScoreRangeError
from mmmsba_plugin.evaluation.predictions import (
    read_predictions,
)
from mmmsba_plugin.evaluation.predictions.npz import write_table
from mmmsba_plugin.evaluation.tables import SpanTable

from .samples import (
    ENTRIES,
    LINES,
    ROWS,
    activitynet,
    rows_of,
    write_file,
)


def test_proposals_alone_score_a_clip_by_the_highest(tmp_path):
    predictions = read_predictions(write_file(tmp_path, "prediction.json", ROWS))
    assert rows_of(predictions) == ROWS
    assert predictions.scores == {"000001.mp4": 0.9, "000002.mp4": 0.0}


def test_scores_alone_find_nothing(tmp_path):
    predictions = read_predictions(write_file(tmp_path, "prediction.txt", LINES))
    assert predictions.scores == {"000001.mp4": 0.9128, "000002.mp4": 0.05}
    assert predictions.proposals is None


def test_a_comma_does_as_well_as_a_semicolon(tmp_path):
    predictions = read_predictions(write_file(tmp_path, "prediction.txt", LINES.replace(";", ", ")))
    assert predictions.scores == {"000001.mp4": 0.9128, "000002.mp4": 0.05}


def test_windows_line_ends_blank_lines_and_a_byte_order_mark_are_no_matter(tmp_path):
    path = tmp_path / "prediction.txt"
    path.write_bytes(b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n\r\n").encode())
    assert read_predictions(path).scores == {"000001.mp4": 0.9128, "000002.mp4": 0.05}


def test_a_folder_holds_both_files_of_a_submission(tmp_path):
    write_file(tmp_path, "prediction.json", ROWS)
    write_file(tmp_path, "prediction.txt", LINES)
    predictions = read_predictions(tmp_path)
    assert rows_of(predictions) == ROWS
    assert predictions.scores["000001.mp4"] == 0.9128


@pytest.mark.parametrize("inside", ["", "my submission/"])
def test_a_zip_holds_both_files_of_a_submission(tmp_path, inside):
    with zipfile.ZipFile(tmp_path / "submitted.zip", "w") as packed:
        packed.writestr(f"{inside}prediction.json", json.dumps(ROWS))
        packed.writestr(f"{inside}prediction.txt", LINES)
    predictions = read_predictions(tmp_path / "submitted.zip")
    assert rows_of(predictions) == ROWS
    assert predictions.scores["000001.mp4"] == 0.9128
    assert predictions.name == "submitted"


def test_frames_of_lav_df_become_seconds(tmp_path):
    path = write_file(tmp_path, "lavdf.json", {"test/000000.mp4": [[0.9, 25, 50], [0.2, 0, 499]]})
    predictions = read_predictions(path, form="lav-df")
    assert rows_of(predictions) == {
        "test/000000.mp4": [[0.9, 1.0, 2.0], [0.2, 0.0, pytest.approx(19.96)]]
    }


def test_a_score_file_has_no_frames_to_count(tmp_path):
    predictions = read_predictions(write_file(tmp_path, "prediction.txt", LINES), form="lav-df")
    assert predictions.proposals is None


def test_what_looks_like_frames_must_be_stated(tmp_path):
    path = write_file(tmp_path, "prediction.json", {"test/000000.mp4": [[0.9, 25, 498]]})
    with pytest.raises(PredictionsError, match=r"whole numbers, up to 498.*: lav-df"):
        read_predictions(path)
    assert read_predictions(path, form="av-deepfake1m").proposals.spans.tolist() == [[25, 498]]


def test_whole_seconds_of_a_short_clip_are_seconds(tmp_path):
    path = write_file(tmp_path, "prediction.json", {"a.mp4": [[0.9, 2, 3]]})
    assert read_predictions(path).proposals.spans.tolist() == [[2, 3]]


def test_our_arrays_are_read(tmp_path):
    spans = {"a.mp4": ([[1.0, 2.0]], [0.7])}
    write_table(SpanTable.of_proposals(spans), tmp_path / "proposals.npz")
    for place in (tmp_path, tmp_path / "proposals.npz"):
        assert rows_of(read_predictions(place)) == {"a.mp4": [[0.7, 1.0, 2.0]]}


def test_logits_rank_proposals_where_detection_is_not_asked_for(tmp_path):
    path = write_file(tmp_path, "prediction.json", {"a.mp4": [[7.5, 1.1, 2.0], [-3.0, 4.0, 5.0]]})
    predictions = read_predictions(path, detection=False)
    assert predictions.proposals.scores.tolist() == [7.5, -3.0]
    assert not predictions.scores


def test_logits_are_no_scores_of_clips(tmp_path):
    path = write_file(tmp_path, "prediction.json", {"a.mp4": [[7.5, 1.1, 2.0]]})
    with pytest.raises(ScoreRangeError, match=r"'a.mp4'.*highest score .* is 7.5"):
        read_predictions(path)
    path = write_file(tmp_path, "prediction.txt", "a.mp4;-1.5\n")
    with pytest.raises(ScoreRangeError, match=r"'a.mp4'.*its score is -1.5"):
        read_predictions(path)


def test_logits_of_proposals_do_not_spoil_stated_scores_of_clips(tmp_path):
    write_file(tmp_path, "prediction.json", {"a.mp4": [[7.5, 1.1, 2.0]]})
    write_file(tmp_path, "prediction.txt", "a.mp4;0.9\n")
    predictions = read_predictions(tmp_path)
    assert (predictions.scores, predictions.proposals.scores.tolist()) == ({"a.mp4": 0.9}, [7.5])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ours/prediction.json", "ours"),
        ("ours/umma.json", "umma"),
        ("ours/v2/predictions.json", "v2"),
    ],
)
def test_a_system_is_called_by_its_file_or_its_folder(tmp_path, file, name):
    path = write_file(tmp_path, file, ROWS)
    assert read_predictions(path).name == name


def test_a_folder_is_called_by_its_own_name(tmp_path):
    write_file(tmp_path, "v1.2/prediction.txt", LINES)
    assert read_predictions(tmp_path / "v1.2").name == "v1.2"


def test_a_file_must_be_there(tmp_path):
    with pytest.raises(PredictionsError, match=r"no predictions at .*nowhere.json"):
        read_predictions(tmp_path / "nowhere.json")


def test_an_empty_folder_says_what_it_should_hold(tmp_path):
    with pytest.raises(PredictionsError, match=r"neither predictions nor reports in"):
        read_predictions(tmp_path)
    with pytest.raises(PredictionsError, match=r"neither prediction.json nor"):
        read_predictions(tmp_path, form="mm-ddl")


def test_an_empty_file_of_scores_is_refused(tmp_path):
    with pytest.raises(PredictionsError, match=r"is empty"):
        read_predictions(write_file(tmp_path, "prediction.txt", "\n"), form="mm-ddl")


@pytest.mark.parametrize("line", ["a.mp4", "a.mp4;high", ";0.5", "a.mp4;nan", "a.mp4;1e999"])
def test_a_line_without_a_clip_or_a_score_is_named(tmp_path, line):
    path = write_file(tmp_path, "prediction.txt", f"b.mp4;0.5\n{line}\n")
    with pytest.raises(PredictionsError, match=r"prediction.txt, line 2: .* is no clip"):
        read_predictions(path)


def test_a_clip_in_two_lines_is_named(tmp_path):
    with pytest.raises(PredictionsError, match=r"line 3: 'a.mp4' comes a second"):
        read_predictions(
            write_file(tmp_path, "prediction.txt", "a.mp4;0.5\nb.mp4;0.1\na.mp4;0.5\n")
        )


def test_scores_must_be_text(tmp_path):
    path = tmp_path / "prediction.txt"
    path.write_bytes(b"a.mp4;0.5\nb\xff.mp4;0.4\n")
    with pytest.raises(PredictionsError, match=r"no text in UTF-8"):
        read_predictions(path)


def test_the_file_that_cannot_be_read_is_an_attribute_of_the_error(tmp_path):
    path = write_file(tmp_path, "prediction.txt", "a.mp4\n")
    for place in (path, tmp_path / "none.json"):
        with pytest.raises(PredictionsError) as caught:
            read_predictions(place, form="mm-ddl")
        assert caught.value.path == place
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.write(path, path.name)
    with pytest.raises(PredictionsError) as caught:
        read_predictions(tmp_path / "bad.zip")
    assert caught.value.path == tmp_path / "bad.zip"


def test_a_malformed_row_is_named_by_file_and_clip(tmp_path):
    with pytest.raises(PredictionsError, match=r"prediction.json: clip 'a.mp4'"):
        read_predictions(write_file(tmp_path, "prediction.json", {"a.mp4": [[0.9, 1.0]]}))


@pytest.mark.parametrize("number", [None, float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_named_by_file_and_clip(tmp_path, number):
    bad = [{"score": 0.5, "segment": [1.0, 2.0]}, {"score": number, "segment": [1.0, 2.0]}]
    path = activitynet(tmp_path, {"a": ENTRIES["000001"], "e": [], "b": bad})
    with pytest.raises(PredictionsError, match=r"results.json: clip 'b' has a proposal"):
        read_predictions(path)


def test_ground_truth_are_no_proposals(tmp_path):
    write_table(SpanTable.of_ground_truth({"a.mp4": [[1.0, 2.0]]}), tmp_path / "proposals.npz")
    with pytest.raises(PredictionsError, match=r"have no scores"):
        read_predictions(tmp_path)


def test_a_zip_must_hold_a_submission_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("readme.txt", "")
    with pytest.raises(PredictionsError, match=r"other.zip holds neither"):
        read_predictions(tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        packed.writestr("a/prediction.txt", LINES)
        packed.writestr("b/prediction.txt", LINES)
    with pytest.raises(PredictionsError, match=r"two.zip holds prediction.txt 2 times"):
        read_predictions(tmp_path / "two.zip")


def test_what_is_wrong_inside_a_zip_is_named_by_the_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr("prediction.txt", "a.mp4;0.5\na.mp4;0.5\n")
    with pytest.raises(PredictionsError, match=r"/bad.zip/prediction.txt, line 2"):
        read_predictions(tmp_path / "bad.zip")


def test_a_damaged_zip_is_refused(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(PredictionsError, match=r"cut.zip cannot be unpacked"):
        read_predictions(tmp_path / "cut.zip")
