"""Tables of spans: what they hold and refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.errors import DatasetError, PredictionsError, ShapeError
from mmmsba_plugin.evaluation.tables import SpanTable, common_threshold

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
    selection = list(dict.fromkeys([*by_key, *others]))
    random.shuffle(selection)
    selection = selection[: random.randint(0, len(selection))]
    expected = scored({key: by_key.get(key, []) for key in selection})
    # Scores count up within a clip, so that they tell rows apart.
    assert same(scored(by_key).aligned(selection), expected)
    table = SpanTable.of_ground_truth(by_key).aligned(selection)
    assert table.scores is None
    assert np.array_equal(table.spans, expected.spans)


def test_aligned_to_its_own_clips_it_is_itself():
    table = scored({"a": [(0, 1)], "b": []})
    assert table.aligned(["a", "b"]) is table


def test_a_clip_that_it_lacks_has_no_spans():
    with pytest.raises(KeyError, match="other"):
        scored({"a": [(0, 1)]}).of("other")


def test_a_clip_that_comes_twice_is_refused():
    keys, offsets = ["a", "b", "a"], np.array([0, 0, 0, 0])
    with pytest.raises(DatasetError, match="clip 'a' comes twice in one table"):
        SpanTable(keys, offsets, np.zeros((0, 2)))
    with pytest.raises(PredictionsError, match="clip 'a' comes twice in one table"):
        SpanTable(keys, offsets, np.zeros((0, 2)), np.zeros(0))


@pytest.mark.parametrize(
    ("offsets", "rows", "scores"),
    [([0, 1], 2, None), ([0, 2], 2, 1), ([0, 1, 2], 2, None), ([], 0, None)],
)
def test_arrays_that_do_not_fit_are_refused(offsets, rows, scores):
    offsets = np.array(offsets, dtype=np.int64)
    score_column = None if scores is None else np.zeros(scores)
    with pytest.raises(ShapeError, match=r"1 clips with .* build the table with") as caught:
        SpanTable(["a"], offsets, np.zeros((rows, 2)), score_column)
    assert caught.value.shape == (rows, 2)


@pytest.mark.parametrize("offsets", [[1, 1, 2], [0, 3, 2]])
def test_offsets_that_go_back_are_refused(offsets):
    with pytest.raises(ShapeError, match="must start at 0 and never fall"):
        SpanTable(["a", "b"], np.array(offsets), np.zeros((2, 2)))


@pytest.mark.parametrize("rows", [[0, 1], [[0, 1, 2]], 5])
def test_truth_of_another_shape_is_refused(rows):
    with pytest.raises(ShapeError, match=r"clip 'a' needs spans of shape"):
        SpanTable.of_ground_truth({"a": rows})


@pytest.mark.parametrize("scores", [[0.5, 0.4], [], [[0.5]]])
def test_proposals_without_a_score_each_are_refused(scores):
    with pytest.raises(ShapeError, match="'a' needs a score for each"):
        SpanTable.of_proposals({"a": ([[0, 1]], scores)})


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [([0.5, 0.5], 0.5), ([0.5, None], 0.5), ([0.5, 0.6], None), ([None], None), ([], None)],
)
def test_clips_with_several_thresholds_have_none_in_common(thresholds, expected):
    assert common_threshold(thresholds) == expected
