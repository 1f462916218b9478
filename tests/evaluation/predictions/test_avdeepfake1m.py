"""prediction.json: read fast and read exactly are one, and nothing unusual slips through."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions import avdeepfake1m
from mmmsba_plugin.evaluation.predictions.avdeepfake1m import read_proposals

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

row_values = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(0, 10).map(lambda x: round(x, 2))
    | st.integers(-(2**70), 2**70)
    | st.integers(0, 9)
)
rows = st.lists(st.lists(row_values, min_size=3, max_size=3), max_size=5)
plain_keys = st.text(st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=32))
files = st.dictionaries(plain_keys, rows, min_size=1, max_size=6)
any_files = st.dictionaries(st.text(), rows, max_size=5)


def reading(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_proposals(path)


def as_listed(table):
    """The table as JSON would hold it."""
    both = np.column_stack([table.scores, table.spans]).tolist()
    ends = zip(table.keys, table.offsets[:-1], table.offsets[1:], strict=True)
    return {key: both[start:end] for key, start, end in ends}


def fast(path):
    return as_listed(avdeepfake1m.read_fast(path))


def exact(path):
    return as_listed(avdeepfake1m.read_exactly(path))


def is_refused_by_the_fast_way(path):
    try:
        avdeepfake1m.read_fast(path)
    except avdeepfake1m.UnusualLayoutError:
        return True
    return False


@in_one_folder
@given(files | any_files, st.sampled_from([None, 0, 1, "\t"]), st.integers(1, 60))
def test_what_is_read_fast_is_what_json_reads(tmp_path, listed, indent, piece_bytes):
    path = tmp_path / "prediction.json"
    path.write_text(json.dumps(listed, indent=indent, ensure_ascii=False), encoding="utf-8")
    expected = {key: [[float(x) for x in row] for row in rows] for key, rows in listed.items()}
    assert exact(path) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(avdeepfake1m, "PIECE_BYTES", piece_bytes)
        assert as_listed(read_proposals(path)) == expected
    assert is_refused_by_the_fast_way(path) or fast(path) == expected


@in_one_folder
@given(files)
def test_usual_files_are_read_fast(tmp_path, listed):
    small = {k: [[round(x % 8, 2) for x in row] for row in rows] for k, rows in listed.items()}
    path = tmp_path / "prediction.json"
    path.write_text(json.dumps(small, ensure_ascii=False), encoding="utf-8")
    assert fast(path) == small


# Texts that are nearly right: a sign of a right one is lost, doubled, or another.
@in_one_folder
@given(
    st.sampled_from(['{"a": [[0.5, 1, 2], [1, 2, 3]], "b": [], "c": [[4, 5, 6]]}']),
    st.integers(0, 60),
    st.integers(0, 3),
    st.text('[]{},:"0.5e- nul\\', max_size=3),
)
@example('{"a": [[1, 2], [3, 4, 5, 6]]}', 0, 0, "")
@example('{"a": [1, 2, 3], "b": [[[4, 5, 6]]]}', 0, 0, "")
@example('{"a": [[1, 2, 3], [4], 5, 6]}', 0, 0, "")
@example('{"a": [[1, 2, 3]:[4, 5, 6]]}', 0, 0, "")
@example('{"a": [[1, 2, 3]], 5}', 0, 0, "")
@example('{"a": [[1, 2, 3]], 55 "b": []}', 0, 0, "")
@example('{"a": [5], "b": [[1, 2, 3]]}', 0, 0, "")
@example('{"a": [[1, 2, 3] "b": ,[4, 5, 6]]}', 0, 0, "")
@example('{"a": "b", "c": [[1, 2, 3]]}', 0, 0, "")
@example('{"a": [[1, 2, 3]], "a": []}', 0, 0, "")
@example('{"a": [[1, 2, 3]]}}', 0, 0, "")
@example('{"a": [[1, 2, 3]]} {"b": []}', 0, 0, "")
@example('{"a": [[1, 2, true]]}', 0, 0, "")
@example('{"a": [[1, 2, 01]]}', 0, 0, "")
def test_what_the_fast_way_takes_the_exact_way_takes_alike(tmp_path, right, at, lost, put):
    path = tmp_path / "prediction.json"
    path.write_text(right[:at] + put + right[at + lost :], encoding="utf-8")
    assert is_refused_by_the_fast_way(path) or fast(path) == exact(path)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        (b'{"a": [], "b": []}', {"a": [], "b": []}),
        (b"{}", {}),
        (b' \n{"a":[[1,2,3]]}\n\n', {"a": [[1, 2, 3]]}),
        (b'{"a": [[1e-1, 2E+0, 300e-2]]}', {"a": [[0.1, 2, 3]]}),
        (b'{"a": [[-0.5, -0, 1e-400]]}', {"a": [[-0.5, 0, 0]]}),
        (b'{"a": [[36893488147419103232, 0, 1]]}', {"a": [[2.0**65, 0, 1]]}),
        (b'{"a\\"b\\\\": [[1, 2, 3]]}', {'a"b\\': [[1, 2, 3]]}),
        (b'{"\\u00e4.mp4": [[1, 2, 3]]}', {"ä.mp4": [[1, 2, 3]]}),
        ('{"ä.mp4": [[1, 2, 3]]}'.encode(), {"ä.mp4": [[1, 2, 3]]}),
        (b'{"[[1, 2], ": [[1, 2, 3]]}', {"[[1, 2], ": [[1, 2, 3]]}),
        (b'{"a": [[0, 3, 1]]}', {"a": [[0, 3, 1]]}),
    ],
)
def test_unusual_files_that_are_right_are_read(tmp_path, text, listed):
    table = reading(tmp_path / "prediction.json", text)
    assert as_listed(table) == listed
    assert table.spans.dtype == table.scores.dtype == np.float64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [[1, 2, 3]], "a": []}', "clip 'a' comes twice; keep one of them"),
        ('{"a": [[1, 2, 3], [1, 2]]}', r"'a', row 1 must be three .*, got \[1, 2\]; correct it"),
        ('{"a": [[1, 2, 3, 4]]}', r"'a', row 0 must be three .*, got \[1, 2, 3, 4\]"),
        ('{"a": [[NaN, 2, 3]]}', r"'a', row 0 must be three finite numbers .*, got \[nan, 2, 3\]"),
        ('{"a": [[1, 2, Infinity]]}', "'a', row 0 must be three finite"),
        ('{"a": [[1, 2, 1e999]]}', "'a', row 0 must be three finite"),
        ('{"a": [[1, 2, 1' + 400 * "0" + "]]}", "'a', row 0 must be three finite"),
        ('{"a": [[1, 2, null]]}', r"'a', row 0 must be three finite numbers .*, got \[1, 2, None"),
        ('{"a": [[1, 2, true]]}', "'a', row 0 must be three finite"),
        ('{"a": [[1, 2, "3"]]}', "'a', row 0 must be three finite"),
        ('{"a": [], "b": null}', "'b' must have a list of rows .*, got None; a clip without"),
        ('{"a": [1, 2, 3]}', "'a', row 0 must be three finite numbers .*, got 1; correct it"),
        ('{"a": {"b": []}}', r"'a' must have a list of rows .*, got \(\('b', \[\]\),\)"),
        ('[["a", []]]', "must hold an object of clips with their proposals, got a list; write it"),
        ('{"a": [[1, 2, 3]], "b": [[4, 5', "cannot be read as JSON .*; write it again"),
        ('{"a": [[1, 2, 3]]', "cannot be read as JSON .*; write it again"),
        ('{"a": [[1, 2, 3]],}', "cannot be read as JSON .*; write it again"),
        ('{"a\n": [[1, 2, 3]]}', "cannot be read as JSON .*; write it again"),
        ("", "cannot be read as JSON .*; write it again"),
        ("[" * 100_000, "cannot be read as JSON .*; write it again"),
        (b'{"\xff": [[1, 2, 3]]}', "cannot be read as JSON .*; write it again"),
    ],
)
def test_files_that_are_wrong_are_refused_with_clip_and_row(tmp_path, text, message):
    path = tmp_path / "prediction.json"
    with pytest.raises(PredictionsError, match=rf"prediction\.json.*{message}"):
        reading(path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PredictionsError, match=r"none\.json cannot be read"):
        read_proposals(tmp_path / "none.json")


def test_a_clip_longer_than_many_pieces_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(avdeepfake1m, "PIECE_BYTES", 64)
    listed = {"short": [[1.0, 2.0, 3.0]], "long": [[0.5, float(n), n + 1.5] for n in range(500)]}
    (tmp_path / "prediction.json").write_text(json.dumps(listed), encoding="utf-8")
    assert fast(tmp_path / "prediction.json") == listed
