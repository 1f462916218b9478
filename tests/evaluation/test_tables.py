"""Tables of spans: what they hold, refuse, and keep on disk."""

import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import DatasetError, OutputError
from mmmsba_plugin.evaluation.predictions.npz import read_table, write_table
from mmmsba_plugin.evaluation.tables import SpanTable

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

times = st.floats(0, 9)
# NumPy pads words with the sign of code 0, so that a name that ends in it would lose it.
keys = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
spans = st.lists(st.tuples(times, times), max_size=4)
ground_truth = st.dictionaries(keys, spans, max_size=5)


def same(a, b):
    scores = (a.scores is None and b.scores is None) or np.array_equal(a.scores, b.scores)
    arrays = np.array_equal(a.offsets, b.offsets) and np.array_equal(a.spans, b.spans)
    return list(a.keys) == list(b.keys) and arrays and scores


def scored(by_key):
    return SpanTable.of_proposals({k: (rows, np.arange(len(rows))) for k, rows in by_key.items()})


@given(ground_truth)
def test_each_clip_has_its_own_spans(by_key):
    table = SpanTable.of_ground_truth(by_key)
    assert table.counts.tolist() == [len(rows) for rows in by_key.values()]
    assert {key: list(map(tuple, table.of(key))) for key in by_key} == by_key


@given(ground_truth, st.lists(keys, unique=True, max_size=6), st.randoms())
def test_aligned_to_other_clips_it_has_theirs_and_no_others(by_key, others, random):
    wanted = list(dict.fromkeys([*by_key, *others]))
    random.shuffle(wanted)
    wanted = wanted[: random.randint(0, len(wanted))]
    expected = scored({key: by_key.get(key, []) for key in wanted})
    # Scores count up within a clip, so that they tell rows apart.
    assert same(scored(by_key).aligned(wanted), expected)
    plain = SpanTable.of_ground_truth(by_key).aligned(wanted)
    assert plain.scores is None
    assert np.array_equal(plain.spans, expected.spans)


def test_aligned_to_its_own_clips_it_is_itself():
    table = scored({"a": [(0, 1)], "b": []})
    assert table.aligned(["a", "b"]) is table


def test_a_clip_that_it_lacks_has_no_spans():
    with pytest.raises(KeyError, match="other"):
        scored({"a": [(0, 1)]}).of("other")


def test_a_clip_that_comes_twice_is_refused():
    with pytest.raises(DatasetError, match="clip 'a' comes twice in one table; keep one entry"):
        SpanTable(["a", "b", "a"], np.array([0, 0, 0, 0]), np.zeros((0, 2)))


@pytest.mark.parametrize(
    ("offsets", "rows", "scores"),
    [([0, 1], 2, None), ([0, 2], 2, 1), ([0, 1, 2], 2, None), ([], 0, None)],
)
def test_arrays_that_do_not_fit_are_refused(offsets, rows, scores):
    offsets = np.array(offsets, dtype=np.int64)
    said = None if scores is None else np.zeros(scores)
    with pytest.raises(
        DatasetError, match=r"1 clips with .* build the table with of_ground_truth or"
    ):
        SpanTable(["a"], offsets, np.zeros((rows, 2)), said)


@pytest.mark.parametrize("offsets", [[1, 1, 2], [0, 3, 2]])
def test_offsets_that_go_back_are_refused(offsets):
    with pytest.raises(DatasetError, match="must start at 0 and never fall; build it with"):
        SpanTable(["a", "b"], np.array(offsets), np.zeros((2, 2)))


@pytest.mark.parametrize("rows", [[0, 1], [[0, 1, 2]], 5])
def test_truth_of_another_shape_is_refused(rows):
    with pytest.raises(DatasetError, match=r"clip 'a' needs spans of shape \(span, 2\), got"):
        SpanTable.of_ground_truth({"a": rows})


@pytest.mark.parametrize("scores", [[0.5, 0.4], [], [[0.5]]])
def test_proposals_without_a_score_each_are_refused(scores):
    with pytest.raises(DatasetError, match="'a' needs a score for each of its 1 spans, got scores"):
        SpanTable.of_proposals({"a": ([[0, 1]], scores)})


@in_one_folder
@given(ground_truth, st.booleans())
def test_a_table_reads_back_as_it_was_written(tmp_path, by_key, proposals):
    table = scored(by_key) if proposals else SpanTable.of_ground_truth(by_key)
    write_table(table, tmp_path / "proposals.npz")
    assert same(read_table(tmp_path / "proposals.npz"), table)


def test_a_table_is_written_under_the_name_that_is_given(tmp_path):
    write_table(scored({}), tmp_path / "proposals.table")
    assert [path.name for path in tmp_path.iterdir()] == ["proposals.table"]


def test_a_table_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"cannot be written \(No such file.*choose another fold"):
        write_table(scored({}), tmp_path / "none" / "proposals.npz")


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"there is no .*proposals\.npz; check the path"):
        read_table(tmp_path / "proposals.npz")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(DatasetError, match=r"array\.npy is no table of spans; write it with"):
        read_table(tmp_path / "array.npy")


@pytest.mark.parametrize("name", ["keys", "offsets", "spans"])
def test_a_table_that_lacks_an_array_is_refused(tmp_path, name):
    arrays = {"keys": np.array(["a"]), "offsets": np.array([0, 0]), "spans": np.zeros((0, 2))}
    del arrays[name]
    np.savez(tmp_path / "proposals.npz", **arrays)
    with pytest.raises(DatasetError, match=f"lacks the array '{name}'; write it with write_table"):
        read_table(tmp_path / "proposals.npz")


def test_a_table_of_other_types_is_refused(tmp_path):
    np.savez(
        tmp_path / "proposals.npz",
        keys=np.array([1]),
        offsets=np.array([0, 0]),
        spans=np.zeros((0, 2)),
    )
    with pytest.raises(DatasetError, match=r"proposals\.npz has keys of type int64; write it with"):
        read_table(tmp_path / "proposals.npz")


def test_arrays_of_a_file_that_do_not_fit_are_refused_with_its_name(tmp_path):
    arrays = {"keys": np.array(["a"]), "offsets": np.array([0, 2]), "spans": np.zeros((1, 2))}
    np.savez(tmp_path / "proposals.npz", **arrays)
    with pytest.raises(DatasetError, match=r"proposals\.npz: 1 clips with 2 rows need as many"):
        read_table(tmp_path / "proposals.npz")


def test_pickled_objects_are_not_read(tmp_path):
    np.savez(tmp_path / "proposals.npz", keys=np.array([{}], dtype=object))
    with pytest.raises(DatasetError, match=r"cannot be read \(Object arrays .*; write it again"):
        read_table(tmp_path / "proposals.npz")


def test_a_damaged_table_is_refused(tmp_path):
    path = tmp_path / "proposals.npz"
    write_table(scored({"a": [(0.0, 1.0)] * 50}), path)
    data = bytearray(path.read_bytes())
    data[data.index(b"spans.npy") + 300] ^= 0xFF
    path.write_bytes(data)
    assert zipfile.is_zipfile(path)
    with pytest.raises(DatasetError, match=r"cannot be read \(.*; write it again"):
        read_table(path)
