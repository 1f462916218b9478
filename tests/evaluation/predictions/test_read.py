"""Predictions of other systems: each format is read, named as the dataset, and written again."""

import json
import logging
import runpy
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError
from mmmsba_plugin.evaluation.evaluate import measure
from mmmsba_plugin.evaluation.predictions import (
    FORMS,
    matched,
    read_predictions,
    write_activitynet,
    write_submission,
)
from mmmsba_plugin.evaluation.predictions.npz import write_table
from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions, SpanTable
from mmmsba_plugin.record import Record
from mmmsba_plugin.report.benchmark_formats import submission_rows
from mmmsba_plugin.report.writers import write_json
from mmmsba_plugin.schema import Media, Problem, Report
from mmmsba_plugin.segment import Segment

REPORT = runpy.run_path(str(Path(__file__).parents[2] / "golden" / "make_report.py"))["report"]()
ROWS = {"000001.mp4": [[0.9, 1.0, 2.5], [0.4, 3.0, 3.2]], "000002.mp4": []}
LINES = "000001.mp4;0.9128\n000002.mp4;0.05\n"
ENTRIES = {
    "000001": [
        {"label": "Fake", "score": 0.9, "segment": [1.0, 2.5]},
        {"label": "Fake", "score": 0.4, "segment": [3.0, 3.2]},
    ],
    "000002": [],
}


def written(folder, name, what):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(what if isinstance(what, str) else json.dumps(what), encoding="utf-8")
    return path


def activitynet(folder, results=None, *, name="results.json"):
    whole = {"version": "VERSION 1.3", "external_data": [], "results": results or ENTRIES}
    return written(folder, name, whole)


def rows_of(predictions):
    """Return proposals as the file of AV-Deepfake1M has them."""
    table = predictions.proposals
    rows = np.column_stack([table.scores, table.spans]).tolist()
    return {
        key: rows[start:end]
        for key, start, end in zip(table.keys, table.offsets, table.offsets[1:], strict=False)
    }


def report_of(path, report=REPORT):
    return report.model_copy(update={"media": report.media.model_copy(update={"path": path})})


def write_report(path, report):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        write_json(report, stream)
    return path


# Reading


def test_proposals_alone_score_a_clip_by_the_highest(tmp_path):
    said = read_predictions(written(tmp_path, "prediction.json", ROWS))
    assert rows_of(said) == ROWS
    assert said.scores == {"000001.mp4": 0.9, "000002.mp4": 0.0}


def test_scores_alone_find_nothing(tmp_path):
    said = read_predictions(written(tmp_path, "prediction.txt", LINES))
    assert said.scores == {"000001.mp4": 0.9128, "000002.mp4": 0.05}
    assert said.proposals is None


def test_a_comma_does_as_well_as_a_semicolon(tmp_path):
    said = read_predictions(written(tmp_path, "prediction.txt", LINES.replace(";", ", ")))
    assert said.scores == {"000001.mp4": 0.9128, "000002.mp4": 0.05}


def test_windows_line_ends_blank_lines_and_a_byte_order_mark_are_no_matter(tmp_path):
    path = tmp_path / "prediction.txt"
    path.write_bytes(b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n\r\n").encode())
    assert read_predictions(path).scores == {"000001.mp4": 0.9128, "000002.mp4": 0.05}


def test_a_folder_holds_both_files_of_a_submission(tmp_path):
    written(tmp_path, "prediction.json", ROWS)
    written(tmp_path, "prediction.txt", LINES)
    said = read_predictions(tmp_path)
    assert rows_of(said) == ROWS
    assert said.scores["000001.mp4"] == 0.9128


@pytest.mark.parametrize("inside", ["", "my submission/"])
def test_a_zip_holds_both_files_of_a_submission(tmp_path, inside):
    with zipfile.ZipFile(tmp_path / "submitted.zip", "w") as packed:
        packed.writestr(f"{inside}prediction.json", json.dumps(ROWS))
        packed.writestr(f"{inside}prediction.txt", LINES)
    said = read_predictions(tmp_path / "submitted.zip")
    assert rows_of(said) == ROWS
    assert said.scores["000001.mp4"] == 0.9128
    assert said.name == "submitted"


def test_frames_of_lav_df_become_seconds(tmp_path):
    path = written(tmp_path, "lavdf.json", {"test/000000.mp4": [[0.9, 25, 50], [0.2, 0, 499]]})
    said = read_predictions(path, form="lav-df")
    assert rows_of(said) == {"test/000000.mp4": [[0.9, 1.0, 2.0], [0.2, 0.0, pytest.approx(19.96)]]}
    said = read_predictions(path, form="lav-df", fps_hz=50)
    assert said.proposals.spans[0].tolist() == [0.5, 1.0]


def test_a_score_file_has_no_frames_to_count(tmp_path):
    said = read_predictions(written(tmp_path, "prediction.txt", LINES), form="lav-df")
    assert said.proposals is None


def test_what_looks_like_frames_must_be_stated(tmp_path):
    path = written(tmp_path, "prediction.json", {"test/000000.mp4": [[0.9, 25, 498]]})
    with pytest.raises(DatasetError, match=r"whole numbers, up to 498.*state the format: lav-df"):
        read_predictions(path)
    assert read_predictions(path, form="av-deepfake1m").proposals.spans.tolist() == [[25, 498]]


def test_whole_seconds_of_a_short_clip_are_seconds(tmp_path):
    path = written(tmp_path, "prediction.json", {"a.mp4": [[0.9, 2, 3]]})
    assert read_predictions(path).proposals.spans.tolist() == [[2, 3]]


@pytest.mark.parametrize("external", [[], {}, "none"])
def test_results_of_activitynet_are_told_by_their_keys(tmp_path, external):
    whole = {"external_data": external, "version": "1.3", "results": ENTRIES}
    said = read_predictions(written(tmp_path, "eval.json", whole))
    assert list(said.proposals.keys) == ["000001", "000002"]
    assert said.proposals.scores.tolist() == [0.9, 0.4]
    assert said.proposals.spans.tolist() == [[1.0, 2.5], [3.0, 3.2]]
    assert said.scores == {"000001": 0.9, "000002": 0.0}


def test_results_come_first_in_some_files(tmp_path):
    assert list(read_predictions(written(tmp_path, "eval.json", {"results": ENTRIES})).scores)


def test_our_arrays_are_read(tmp_path):
    spans = {"a.mp4": ([[1.0, 2.0]], [0.7])}
    write_table(SpanTable.of_proposals(spans), tmp_path / "proposals.npz")
    for place in (tmp_path, tmp_path / "proposals.npz"):
        assert rows_of(read_predictions(place)) == {"a.mp4": [[0.7, 1.0, 2.0]]}


def test_one_report_says_all_that_a_report_says(tmp_path):
    said = read_predictions(write_report(tmp_path / "interview.mmmsba.json", REPORT))
    assert said.name == "interview"
    assert said.scores == {"interview.mp4": REPORT.score}
    assert said.threshold == REPORT.threshold.value
    assert set(said.by_modality) <= set(REPORT.modalities)
    assert len(said.proposals.scores) == len(REPORT.proposals)


def test_reports_beside_their_clips_are_found_in_all_folders(tmp_path):
    write_report(tmp_path / "a" / "one.mmmsba.json", report_of("a/one.mp4"))
    write_report(tmp_path / "b" / "two.mmmsba.json", report_of("b/two.mp4"))
    written(tmp_path, "a/one.json", {"somebody": "else's"})
    assert list(read_predictions(tmp_path).scores) == ["a/one.mp4", "b/two.mp4"]


def test_reports_in_a_folder_of_theirs_are_told_from_other_files(tmp_path):
    write_report(tmp_path / "one.json", report_of("one.mp4"))
    written(tmp_path, "summary.json", {"clips": 1})
    assert list(read_predictions(tmp_path).scores) == ["one.mp4"]


def test_a_clip_that_could_not_be_judged_has_no_score(tmp_path):
    failed = Report(
        status="error",
        media=Media(path="broken.mp4"),
        problem=Problem(kind="MediaUnreadableError", message="no moov atom; is it complete?"),
        provenance=REPORT.provenance,
    )
    write_report(tmp_path / "one.json", report_of("one.mp4"))
    write_report(tmp_path / "broken.json", failed)
    assert list(read_predictions(tmp_path).scores) == ["one.mp4"]


def test_logits_rank_proposals_where_detection_is_not_asked_for(tmp_path):
    path = written(tmp_path, "prediction.json", {"a.mp4": [[7.5, 1.1, 2.0], [-3.0, 4.0, 5.0]]})
    said = read_predictions(path, detection=False)
    assert said.proposals.scores.tolist() == [7.5, -3.0]
    assert not said.scores


def test_logits_are_no_scores_of_clips(tmp_path):
    path = written(tmp_path, "prediction.json", {"a.mp4": [[7.5, 1.1, 2.0]]})
    with pytest.raises(ScoreRangeError, match=r"'a.mp4'.*highest score of its proposals is 7.5"):
        read_predictions(path)
    path = written(tmp_path, "prediction.txt", "a.mp4;-1.5\n")
    with pytest.raises(ScoreRangeError, match=r"'a.mp4'.*its score is -1.5; pass .* a sigmoid"):
        read_predictions(path)


def test_logits_of_proposals_do_not_spoil_stated_scores_of_clips(tmp_path):
    written(tmp_path, "prediction.json", {"a.mp4": [[7.5, 1.1, 2.0]]})
    written(tmp_path, "prediction.txt", "a.mp4;0.9\n")
    said = read_predictions(tmp_path)
    assert (said.scores, said.proposals.scores.tolist()) == ({"a.mp4": 0.9}, [7.5])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ours/prediction.json", "ours"),
        ("ours/umma.json", "umma"),
        ("ours/v2/predictions.json", "v2"),
    ],
)
def test_a_system_is_called_by_its_file_or_its_folder(tmp_path, file, name):
    path = written(tmp_path, file, ROWS)
    assert read_predictions(path).name == name
    assert read_predictions(path, name="mine").name == "mine"


def test_a_folder_is_called_by_its_own_name(tmp_path):
    written(tmp_path, "v1.2/prediction.txt", LINES)
    assert read_predictions(tmp_path / "v1.2").name == "v1.2"


# What is wrong with a file


def test_a_format_must_be_one_of_those_known(tmp_path):
    path = written(tmp_path, "prediction.json", ROWS)
    with pytest.raises(ConfigError, match=r"no format 'lavdf'.*known are av-deepfake1m, lav-df"):
        read_predictions(path, form="lavdf")
    assert len(set(FORMS)) == 6


@pytest.mark.parametrize("fps_hz", [0, -25, float("nan"), float("inf")])
def test_a_frame_rate_must_be_positive(tmp_path, fps_hz):
    path = written(tmp_path, "prediction.json", ROWS)
    with pytest.raises(ConfigError, match=r"fps_hz must be above 0"):
        read_predictions(path, form="lav-df", fps_hz=fps_hz)


def test_a_file_must_be_there(tmp_path):
    with pytest.raises(DatasetError, match=r"no predictions at .*nowhere.json; check the path"):
        read_predictions(tmp_path / "nowhere.json")


@pytest.mark.parametrize("what", ["hello", "", "[1, 2]", "clip.mp4\n", "\0\1\2"])
def test_a_file_of_another_kind_is_refused(tmp_path, what):
    with pytest.raises(DatasetError, match=r"odd.bin holds predictions in no known format"):
        read_predictions(written(tmp_path, "odd.bin", what))


def test_an_empty_folder_says_what_it_should_hold(tmp_path):
    with pytest.raises(DatasetError, match=r"neither predictions nor reports in"):
        read_predictions(tmp_path)
    with pytest.raises(DatasetError, match=r"neither prediction.json nor prediction.txt in"):
        read_predictions(tmp_path, form="mm-ddl")


def test_an_empty_file_of_scores_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"is empty; write one clip a line"):
        read_predictions(written(tmp_path, "prediction.txt", "\n"), form="mm-ddl")


@pytest.mark.parametrize("line", ["a.mp4", "a.mp4;high", ";0.5", "a.mp4;nan", "a.mp4;1e999"])
def test_a_line_without_a_clip_or_a_score_is_named(tmp_path, line):
    path = written(tmp_path, "prediction.txt", f"b.mp4;0.5\n{line}\n")
    with pytest.raises(DatasetError, match=r"prediction.txt, line 2: .* is no clip with a score"):
        read_predictions(path)


def test_a_clip_in_two_lines_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"line 3: 'a.mp4' comes a second time"):
        read_predictions(written(tmp_path, "prediction.txt", "a.mp4;0.5\nb.mp4;0.1\na.mp4;0.5\n"))


def test_scores_must_be_text(tmp_path):
    path = tmp_path / "prediction.txt"
    path.write_bytes(b"a.mp4;0.5\nb\xff.mp4;0.4\n")
    with pytest.raises(DatasetError, match=r"no text in UTF-8"):
        read_predictions(path)


def test_a_malformed_row_is_named_by_file_and_clip(tmp_path):
    with pytest.raises(DatasetError, match=r"prediction.json: clip 'a.mp4'"):
        read_predictions(written(tmp_path, "prediction.json", {"a.mp4": [[0.9, 1.0]]}))


@pytest.mark.parametrize(
    "entry",
    [
        {"score": 0.9},
        {"segment": [1.0, 2.0]},
        {"score": 0.9, "segment": [1.0, 2.0, 3.0]},
        {"score": 0.9, "segment": 1.0},
        {"score": "high", "segment": [1.0, 2.0]},
        {"score": [0.9], "segment": [1.0, 2.0]},
        "0.9",
        None,
    ],
)
def test_a_malformed_entry_is_named_by_file_and_clip(tmp_path, entry):
    with pytest.raises(DatasetError, match=r"results.json: clip 'b' has an entry that is not as"):
        read_predictions(activitynet(tmp_path, {"a": ENTRIES["000001"], "b": [entry]}))


def test_entries_must_be_a_list(tmp_path):
    with pytest.raises(DatasetError, match=r"clip 'b' has an entry that is not as"):
        read_predictions(activitynet(tmp_path, {"b": 3}))


@pytest.mark.parametrize("number", [None, float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_named_by_file_and_clip(tmp_path, number):
    bad = [{"score": 0.5, "segment": [1.0, 2.0]}, {"score": number, "segment": [1.0, 2.0]}]
    path = activitynet(tmp_path, {"a": ENTRIES["000001"], "e": [], "b": bad})
    with pytest.raises(DatasetError, match=r"results.json: clip 'b' .*leave out what is not fini"):
        read_predictions(path)


def test_results_that_break_off_are_refused(tmp_path):
    path = activitynet(tmp_path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(DatasetError, match=r"is no JSON or breaks off"):
        read_predictions(path)


def test_results_must_be_by_clip(tmp_path):
    with pytest.raises(DatasetError, match=r"has no 'results' by clip"):
        read_predictions(written(tmp_path, "eval.json", {"version": "1", "results": [1]}))
    with pytest.raises(DatasetError, match=r"has no 'results' by clip"):
        read_predictions(written(tmp_path, "list.json", [1]), form="activitynet")


def test_results_must_name_a_clip_once(tmp_path):
    text = '{"version": "1", "results": {"a": [], "b": [], "a": []}}'
    with pytest.raises(DatasetError, match=r"eval.json: 'a' comes twice in one object"):
        read_predictions(written(tmp_path, "eval.json", text))


def test_ground_truth_are_no_proposals(tmp_path):
    write_table(SpanTable.of_ground_truth({"a.mp4": [[1.0, 2.0]]}), tmp_path / "proposals.npz")
    with pytest.raises(DatasetError, match=r"have no scores; give proposals, not truths"):
        read_predictions(tmp_path)


def test_a_report_of_another_version_is_refused(tmp_path):
    path = written(tmp_path, "one.mmmsba.json", {"schema_version": "9.0"})
    with pytest.raises(DatasetError, match=r"one.mmmsba.json is no report of a version"):
        read_predictions(path)


def test_two_reports_of_one_clip_are_refused(tmp_path):
    for name in ("one", "two"):
        write_report(tmp_path / f"{name}.json", REPORT)
    with pytest.raises(DatasetError, match=r"two.json is a second report of interview.mp4"):
        read_predictions(tmp_path)


def test_a_zip_must_hold_a_submission_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("readme.txt", "")
    with pytest.raises(DatasetError, match=r"other.zip holds neither prediction.json nor"):
        read_predictions(tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        packed.writestr("a/prediction.txt", LINES)
        packed.writestr("b/prediction.txt", LINES)
    with pytest.raises(DatasetError, match=r"two.zip holds prediction.txt 2 times"):
        read_predictions(tmp_path / "two.zip")


def test_what_is_wrong_inside_a_zip_is_named_by_the_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr("prediction.txt", "a.mp4;0.5\na.mp4;0.5\n")
    with pytest.raises(DatasetError, match=r"/bad.zip/prediction.txt, line 2"):
        read_predictions(tmp_path / "bad.zip")


def test_a_damaged_zip_is_refused(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DatasetError, match=r"cut.zip cannot be unpacked: .*zip the files anew"):
        read_predictions(tmp_path / "cut.zip")


# Names of clips


def said_of(*names, name="theirs"):
    """Return answers in which each clip has a proposal of its own length."""
    proposals = {one: ([[0.0, 1.0 + index]], [0.5]) for index, one in enumerate(names)}
    return Predictions(
        name=name,
        scores={one: 0.1 * index for index, one in enumerate(names)},
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
    said = matched(said_of(*names), keys)
    assert said.scores == {keys[0]: 0.0, keys[1]: 0.1}
    assert [said.proposals.of(key).tolist() for key in keys] == [[[0.0, 1.0]], [[0.0, 2.0]]]
    assert said.by_modality == {"audio": {keys[0]: 0.3}}
    assert (list(said.unknown), list(said.missing)) == ([], [])


def test_what_matches_nothing_and_what_is_missing_are_told():
    said = matched(said_of("a.mp4", "z.mp4", "b.mp4"), ["x/b.mp4", "x/c.mp4", "x/a.mp4"])
    assert list(said.unknown) == ["z.mp4"]
    assert list(said.missing) == ["x/c.mp4"]
    assert said.scores == {"x/b.mp4": 0.2, "x/a.mp4": 0.0}
    assert list(said.proposals.keys) == ["x/b.mp4", "x/a.mp4"]


def test_a_clip_with_a_score_alone_is_not_missing():
    said = Predictions(name="s", scores={"a.mp4": 0.4}, proposals=SpanTable.of_proposals({}))
    assert not matched(said, ["a.mp4"]).missing
    assert not matched(Predictions(name="s", scores={"a.mp4": 0.4}), ["a.mp4"]).missing


def test_clips_of_another_split_are_not_mistaken_for_those_of_one_name():
    said = matched(said_of("test/0.mp4", "train/1.mp4"), ["test/0.mp4", "test/1.mp4"])
    assert list(said.unknown) == ["train/1.mp4"]
    assert list(said.missing) == ["test/1.mp4"]


def test_a_name_that_could_be_two_clips_is_refused():
    with pytest.raises(DatasetError, match=r"'0.mp4' could be of any of 2 clips, such as 'a/0.m"):
        matched(said_of("0.mp4"), ["a/0.mp4", "b/0.mp4"])


def test_a_name_that_is_longer_than_one_clips_and_shorter_than_anothers_is_refused():
    with pytest.raises(DatasetError, match=r"'x/0.mp4' could be of any of 2 clips, such as '0.mp"):
        matched(said_of("x/0.mp4"), ["0.mp4", "y/x/0.mp4"])


def test_of_two_clips_that_a_name_ends_with_it_is_of_the_longer():
    assert matched(said_of("/d/x/0.mp4"), ["0.mp4", "x/0.mp4"]).scores == {"x/0.mp4": 0.0}


def test_two_names_that_could_be_one_clip_are_refused():
    with pytest.raises(DatasetError, match=r"'a/0.mp4' and 'b/0.mp4' both could be of the clip"):
        matched(said_of("a/0.mp4", "b/0.mp4"), ["0.mp4"])


def test_a_clip_that_is_named_in_full_is_not_ambiguous():
    names = ["0.mp4", "sub/0.mp4"]
    assert matched(said_of(*names), names).scores == {"0.mp4": 0.0, "sub/0.mp4": 0.1}


def test_other_folders_are_overlooked_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        said = matched(said_of("/copy/0.mp4", "/copy/1.mp4"), ["test/0.mp4", "test/1.mp4"])
    assert said.scores == {"test/0.mp4": 0.0, "test/1.mp4": 0.1}
    assert "2 predictions lie in other folders than their clips" in caplog.text


def test_names_in_the_dataset_need_no_warning(caplog):
    with caplog.at_level(logging.WARNING):
        matched(said_of("0", "1"), ["test/0.mp4", "test/1.mp4"])
    assert not caplog.text


def test_predictions_for_another_dataset_are_refused():
    with pytest.raises(DatasetError, match=r"none of 1 predictions of theirs .* 'x.mp4', the firs"):
        matched(said_of("x.mp4"), ["a.mp4"])
    with pytest.raises(DatasetError, match=r"none of 0 predictions of theirs"):
        matched(said_of(), ["a.mp4"])


def test_a_dataset_without_clips_knows_no_prediction():
    assert list(matched(said_of("a.mp4"), []).unknown) == ["a.mp4"]


@given(st.lists(st.text("ab./", min_size=1, max_size=6), unique=True, min_size=1, max_size=8))
def test_names_match_themselves_or_are_refused_as_ambiguous(names):
    try:
        said = matched(said_of(*names), names)
    except DatasetError:
        plain = ["/".join(p for p in one.split("/") if p not in ("", ".")) for one in names]
        assert len(set(plain)) < len(plain)
    else:
        assert said.scores == said_of(*names).scores


# Writing

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
    said = predictions_of(dataset)
    assert [path.name for path in write_submission(said, folder)] == [
        "prediction.json",
        "prediction.txt",
    ]
    back = read_predictions(folder, form="av-deepfake1m")
    assert back.scores == said.scores
    for key, rows in rows_of(back).items():
        wanted = sorted((row for row in dataset[key][1] if round(row[0], 4)), key=lambda r: -r[0])
        assert np.allclose(rows, wanted or [[0.0, 0.0, 0.0]], rtol=0, atol=0.5001e-4)
    assert list(rows_of(back)) == list(dataset)


@given(datasets)
def test_results_of_activitynet_read_back_as_they_are(tmp_path_factory, dataset):
    path = tmp_path_factory.mktemp("activitynet") / "results.json"
    # Strokes would be taken for folders.
    plain = {f"{i:03}.v1": said for i, said in enumerate(dataset.values())}
    write_activitynet(
        predictions_of({f"test/{key}.mp4": said for key, said in plain.items()}), path
    )
    back = matched(read_predictions(path), [f"test/{key}.mp4" for key in plain])
    assert rows_of(back) == {
        f"test/{key}.mp4": [list(row) for row in rows] for key, (_, rows) in plain.items()
    }


@given(proposals)
def test_rows_of_a_submission_are_ranked_and_never_empty(rows):
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    said = submission_rows(table[:, 1:], table[:, 0])
    assert [row[0] for row in said] == sorted((row[0] for row in said), reverse=True)
    assert said == [[0.0, 0.0, 0.0]] or all(row[0] > 0 for row in said)


def test_a_submission_tells_of_each_clip_that_was_judged(tmp_path):
    said = Predictions("ours", {"b.mp4": 0.2}, SpanTable.of_proposals({"a.mp4": ([[1, 2]], [0.5])}))
    write_submission(said, tmp_path / "new" / "folder")
    told = json.loads((tmp_path / "new" / "folder" / "prediction.json").read_text())
    assert told == {"a.mp4": [[0.5, 1.0, 2.0]], "b.mp4": [[0.0, 0.0, 0.0]]}
    assert (tmp_path / "new" / "folder" / "prediction.txt").read_text() == "b.mp4;0.2\n"


def test_a_system_that_does_not_localize_submits_scores_alone(tmp_path):
    assert write_submission(Predictions("ours", {"a.mp4": 0.2}), tmp_path) == [
        tmp_path / "prediction.txt"
    ]


def test_a_system_that_does_not_detect_submits_proposals_alone(tmp_path):
    said = Predictions("ours", {}, SpanTable.of_proposals({"a.mp4": ([[1, 2]], [7.5])}))
    assert write_submission(said, tmp_path) == [tmp_path / "prediction.json"]


def test_a_failed_submission_leaves_nothing_behind(tmp_path):
    with pytest.raises(DatasetError, match=r"'a\\nb.mp4' holds a line break; rename the clip"):
        write_submission(Predictions("ours", {"a\nb.mp4": 0.2}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_clips_of_one_file_name_keep_their_folders_in_activitynets_format(tmp_path):
    spans = {"id1/real.mp4": ([[1, 2]], [0.5]), "id2/real.mp4": ([[3, 4]], [0.6])}
    write_activitynet(Predictions("ours", {}, SpanTable.of_proposals(spans)), tmp_path / "r.json")
    said = read_predictions(tmp_path / "r.json")
    assert list(said.proposals.keys) == ["id1/real", "id2/real"]
    assert matched(said, list(spans)).proposals.of("id2/real.mp4").tolist() == [[3.0, 4.0]]


def test_clips_that_differ_by_their_extension_alone_are_refused(tmp_path):
    said = Predictions("o", {"a.mp4": 0.5, "a.mkv": 0.5}, SpanTable.of_proposals({}))
    with pytest.raises(DatasetError, match=r"differ by their extension alone"):
        write_activitynet(said, tmp_path / "r.json")


def test_without_stretches_there_is_nothing_to_write(tmp_path):
    with pytest.raises(DatasetError, match=r"ours has no segments with scores"):
        write_activitynet(Predictions("ours", {"a.mp4": 0.5}), tmp_path / "r.json")
    ground_truth = Predictions("ours", {}, SpanTable.of_ground_truth({"a.mp4": [[1.0, 2.0]]}))
    with pytest.raises(DatasetError, match=r"ours has no segments with scores"):
        write_activitynet(ground_truth, tmp_path / "r.json")


def test_figures_of_a_file_that_was_written_are_those_of_what_it_was_written_from(tmp_path):
    spans = {
        "test/0.mp4": ([[1.0, 2.0], [5.0, 6.0]], [0.9, 0.1]),
        "test/1.mp4": ([[0.5, 1.5]], [0.8]),
        "test/2.mp4": ([], []),
    }
    scores = {"test/0.mp4": 0.9, "test/1.mp4": 0.8, "test/2.mp4": 0.05}
    truth = {"test/0.mp4": (Segment(1, 2),), "test/1.mp4": (Segment(0.5, 1.4),), "test/2.mp4": ()}
    ground_truth = GroundTruth.of(
        Record(Path(key), truth=stretches, key=key) for key, stretches in truth.items()
    )
    said = Predictions("ours", scores, SpanTable.of_proposals(spans))
    write_submission(said, tmp_path)
    back = matched(read_predictions(tmp_path), ground_truth.keys)
    figures = [
        measure(one, ground_truth, mode="voc", num_resamples=0).intervals for one in (said, back)
    ]
    assert {n: one.value for n, one in figures[0].items()} == pytest.approx(
        {n: one.value for n, one in figures[1].items()}, nan_ok=True
    )
