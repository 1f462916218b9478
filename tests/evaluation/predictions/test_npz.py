"""Tables of spans keep what they hold on disk, and damaged ones are refused."""

import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import OutputError, PredictionsError
from mmmsba_plugin.evaluation.predictions.npz import read_table, write_table
from mmmsba_plugin.evaluation.tables import SpanTable

from ..test_tables import ground_truth, same, scored

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


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
    with pytest.raises(OutputError, match=r"none.proposals\.npz: No such file"):
        write_table(scored({}), tmp_path / "none" / "proposals.npz")


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PredictionsError, match=r"there is no .*proposals\.npz; check the path"):
        read_table(tmp_path / "proposals.npz")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(PredictionsError, match=r"array\.npy is no table of spans"):
        read_table(tmp_path / "array.npy")


@pytest.mark.parametrize("name", ["keys", "offsets", "spans"])
def test_a_table_that_lacks_an_array_is_refused(tmp_path, name):
    arrays = {"keys": np.array(["a"]), "offsets": np.array([0, 0]), "spans": np.zeros((0, 2))}
    del arrays[name]
    np.savez(tmp_path / "proposals.npz", **arrays)
    with pytest.raises(PredictionsError, match=f"lacks the array '{name}'"):
        read_table(tmp_path / "proposals.npz")


def test_a_table_of_other_types_is_refused(tmp_path):
    np.savez(
        tmp_path / "proposals.npz",
        keys=np.array([1]),
        offsets=np.array([0, 0]),
        spans=np.zeros((0, 2)),
    )
    with pytest.raises(PredictionsError, match=r"proposals\.npz has keys of type int64"):
        read_table(tmp_path / "proposals.npz")


def test_arrays_of_a_file_that_do_not_fit_are_refused_with_its_name(tmp_path):
    arrays = {"keys": np.array(["a"]), "offsets": np.array([0, 2]), "spans": np.zeros((1, 2))}
    np.savez(tmp_path / "proposals.npz", **arrays)
    with pytest.raises(PredictionsError, match=r"proposals\.npz: 1 clips with 2 rows"):
        read_table(tmp_path / "proposals.npz")


def test_pickled_objects_are_not_read(tmp_path):
    np.savez(tmp_path / "proposals.npz", keys=np.array([{}], dtype=object))
    with pytest.raises(PredictionsError, match=r"cannot be read \(Object arrays"):
        read_table(tmp_path / "proposals.npz")


def test_a_damaged_table_is_refused(tmp_path):
    path = tmp_path / "proposals.npz"
    write_table(scored({"a": [(0.0, 1.0)] * 50}), path)
    data = bytearray(path.read_bytes())
    data[data.index(b"spans.npy") + 300] ^= 0xFF
    path.write_bytes(data)
    assert zipfile.is_zipfile(path)
    with pytest.raises(PredictionsError, match=r"cannot be read \("):
        read_table(path)
