"""A CSV that lists clips of one's own: what it says of them, and what makes no sense."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.clip_table import lists_clips, read_table
from mmmsba_plugin.datasets.reader import Splits, refuse
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import WHOLE_CLIP
from mmmsba_plugin.segment import Segment, merge

from ..layouts_csv import clip_table


def read(root, on_error=refuse, *, split=None, need_media=True):
    table = root / "clips.csv" if root.is_dir() else root
    return list(read_table(table, Splits(split), on_error, need_media=need_media))


def only_record(folder, *rows):
    (record,) = read(clip_table(folder, rows))
    return record


def test_a_record_holds_what_its_row_says(tmp_path):
    row = {
        "path": "one/a.mp4",
        "label": "Forged",
        "start_s": "1.5",
        "end_s": " 2 ",
        "modality": "audio",
        "split": "valid",
        "identity": "ann",
        "kind": "splice",
        "duration_s": 4,
        "language": "fr",
    }
    record = only_record(tmp_path, row)
    assert record.media == tmp_path / "one/a.mp4"
    assert record.key == "one/a.mp4"
    assert record.truth == record.audio_truth == (Segment(1.5, 2.0),)
    assert record.visual_truth == ()
    assert (record.split, record.identity, record.kind) == ("dev", "ann", "splice")
    assert record.duration_s == 4.0
    assert record.extra == {"language": "fr"}


@pytest.mark.parametrize("word", ["real", "genuine", "0", "Genuine"])
def test_words_for_real(tmp_path, word):
    record = only_record(tmp_path, {"path": "a.mp4", "label": word})
    assert (record.truth, record.audio_truth, record.visual_truth) == ((), (), ())


@pytest.mark.parametrize("word", ["fake", "forged", "1", "FAKE"])
def test_words_for_fake_mean_the_whole_clip_without_a_segment(tmp_path, word):
    record = only_record(tmp_path, {"path": "a.mp4", "label": word})
    assert record.truth == (WHOLE_CLIP,)
    assert (record.audio_truth, record.visual_truth) == (None, None)


@pytest.mark.parametrize(
    ("modality", "audio", "visual"),
    [("audio", True, False), ("visual", False, True), ("both", True, True)],
)
def test_a_whole_clip_can_be_fake_in_one_modality(tmp_path, modality, audio, visual):
    record = only_record(tmp_path, {"path": "a.mp4", "label": "fake", "modality": modality})
    assert record.truth == (WHOLE_CLIP,)
    assert (bool(record.audio_truth), bool(record.visual_truth)) == (audio, visual)


def test_rows_of_a_clip_may_stand_apart_and_are_joined(tmp_path):
    rows = [
        {"path": "a.mp4", "start_s": 1, "end_s": 2, "modality": "audio"},
        {"path": "b.mp4", "start_s": "", "end_s": "", "modality": ""},
        {"path": "a.mp4", "start_s": 1.5, "end_s": 3, "modality": "visual"},
    ]
    fake, real = read(clip_table(tmp_path, rows))
    assert fake.truth == (Segment(1.0, 3.0),)
    assert fake.audio_truth == (Segment(1.0, 2.0),)
    assert fake.visual_truth == (Segment(1.5, 3.0),)
    assert not real.fake


def test_a_modality_that_one_row_leaves_open_has_no_truth_in_any(tmp_path):
    rows = [
        {"path": "a.mp4", "start_s": 1, "end_s": 2, "modality": "audio"},
        {"path": "a.mp4", "start_s": 3, "end_s": 4, "modality": ""},
    ]
    record = only_record(tmp_path, *rows)
    assert record.truth == (Segment(1.0, 2.0), Segment(3.0, 4.0))
    assert (record.audio_truth, record.visual_truth) == (None, None)


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(1, 100)).map(
            lambda cells: (cells[0] / 25, sum(cells) / 25)
        ),
        max_size=6,
    )
)
def test_one_cell_of_segments_says_what_as_many_rows_do(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("table")
    in_rows = [
        {"path": "a.mp4", "start_s": start_s, "end_s": end_s} for start_s, end_s in pairs
    ] or [{"path": "a.mp4", "start_s": "", "end_s": ""}]
    record = only_record(folder / "rows", *in_rows)
    in_a_cell = only_record(folder / "cell", {"path": "a.mp4", "segments": json.dumps(pairs)})
    assert record.truth == in_a_cell.truth
    assert record.truth == tuple(merge(Segment(*pair) for pair in pairs))


def test_a_clip_may_lie_elsewhere(tmp_path):
    (clip := tmp_path / "there.mp4").touch()
    table = clip_table(tmp_path / "here", [{"path": clip, "label": "real"}], make_clip=None)
    assert [record.media for record in read(table)] == [clip]


def test_a_spreadsheets_byte_order_mark_and_blank_lines_are_no_matter(tmp_path):
    (tmp_path / "a.mp4").touch()
    text = "\ufeffpath , label\r\n\r\na.mp4 , real \r\n,\r\n"
    (tmp_path / "clips.csv").write_text(text, encoding="utf-8", newline="")
    assert [record.key for record in read(tmp_path)] == ["a.mp4"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("path,lable", "there is a column 'lable'; call it label if it is that"),
        ("path,label,start,end", "there is a column '(start|end)'; call it (start_s|end_s)"),
        ("path,split", "says of no clip whether it is fake; add a column label or start_s"),
        ("path,start_s", "has one of start_s and end_s; add the other"),
        ("path,start_s,end_s,segments", "has start_s and segments; leave one of them out"),
        ("label", r"there is no column path; .* names: label"),
        ("path;label", r"there is no column path; .*separated by commas"),
    ],
)
def test_columns_that_make_no_sense_are_refused(tmp_path, columns, message):
    (tmp_path / "clips.csv").write_text(f"{columns}\n")
    with pytest.raises(DatasetError, match=message):
        read(tmp_path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"label": "false"}], r"'label' must be one of real, .*, got 'false'"),
        ([{"label": ""}], "'label' is empty and there is no segment; say real or fake"),
        ([{"label": "real", "start_s": 1, "end_s": 2}], "is real, but there is a fake"),
        ([{"label": "real"}, {"label": "fake"}], "is real in one row and fake in another"),
        ([{"label": "fake"}, {"label": "fake"}], "several rows call it fake, and none says"),
        ([{"start_s": 1, "end_s": ""}], "one of 'start_s' and 'end_s' is empty"),
        ([{"start_s": 2, "end_s": 1}], "a segment must end after it starts"),
        ([{"start_s": -1, "end_s": 1}], "a segment starts at -1 s, before the clip"),
        ([{"start_s": "1,5", "end_s": 2}], "'start_s' must be a number of seconds, got '1,5'"),
        ([{"start_s": "nan", "end_s": 2}], "'start_s' must be a number of seconds, got 'nan'"),
        ([{"segments": "1-2"}], r"'segments' must be \[\[start, end\], …\] in seconds"),
        ([{"segments": "[1, 2]"}], r"'segments' must be \[\[start, end\], …\] in seconds"),
        ([{"segments": "[[1, NaN]]"}], "a segment needs finite ends"),
        ([{"label": "fake", "modality": "sound"}], "'modality' must be one of audio, visual"),
        ([{"label": "real", "modality": "audio"}], "'modality' says what was altered, but"),
        (
            [{"label": "real", "split": "dev"}, {"label": "real", "split": "test"}],
            "'split' is 'dev' in one row and 'test' in another; correct one",
        ),
        ([{"label": "real", "duration_s": "4 s"}], "'duration_s' must be a number of seconds"),
    ],
)
def test_a_clip_of_which_no_sense_is_made_is_named_and_the_rest_is_read(tmp_path, rows, message):
    wrong = [{"path": "a.mp4", **row} for row in rows]
    good = dict.fromkeys(wrong[0], "") | {"path": "b.mp4"}
    good |= {"label": "real"} if "label" in good else {}
    errors = []
    (record,) = read(clip_table(tmp_path, [*wrong, good]), errors.append)
    assert record.key == "b.mp4"
    (error,) = errors
    lines = ", ".join(str(2 + index) for index in range(len(rows)))
    with pytest.raises(DatasetError, match=rf"clips\.csv, line {lines}: .*{message}"):
        raise error


def test_a_row_without_a_path_is_named(tmp_path):
    rows = [{"path": "a.mp4", "label": "real"}, {"path": "", "label": "real"}]
    errors = []
    assert len(read(clip_table(tmp_path, rows), errors.append)) == 1
    assert "line 3: 'path' is empty; name the clip" in str(errors[0])


def test_a_comma_too_many_is_no_other_segment(tmp_path):
    (tmp_path / "clips.csv").write_text("path,start_s,end_s\na.mp4,1,5,2\n")
    errors = []
    assert read(tmp_path, errors.append) == []
    assert "line 2: it has 4 fields for 3 columns; put quotes" in str(errors[0])


def test_a_clip_of_another_split_may_be_missing(tmp_path):
    rows = [{"path": f"{s}.mp4", "label": "real", "split": s} for s in ("val", "test")]
    clip_table(tmp_path, rows)
    (tmp_path / "val.mp4").unlink()
    assert [record.key for record in read(tmp_path, split="test")] == ["test.mp4"]


def test_a_clip_that_is_not_there_is_named(tmp_path):
    table = clip_table(tmp_path, [{"path": "a.mp4", "label": "real"}], make_clip=None)
    with pytest.raises(DatasetError, match=r"line 2: there is no .*a\.mp4; correct 'path'"):
        read(table)


def test_without_need_of_them_clips_may_be_missing(tmp_path):
    table = clip_table(tmp_path, [{"path": "a.mp4", "label": "real"}], make_clip=None)
    assert [record.key for record in read(table, need_media=False)] == ["a.mp4"]


@pytest.mark.parametrize(
    ("columns", "is_one"),
    [("path,label", True), ("path,start_s,end_s", True), ("path,split", False), ("label", False)],
)
def test_a_table_of_clips_is_known_by_its_columns(tmp_path, columns, is_one):
    (tmp_path / "clips.csv").write_text(f"{columns}\n")
    assert lists_clips(tmp_path / "clips.csv") is is_one
