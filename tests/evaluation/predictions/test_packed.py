"""What a packed file states is held against its size before memory is taken."""

import struct
import zipfile

import numpy as np
import pytest

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions import read_predictions

TABLE = {
    "keys": np.array(["a"]),
    "offsets": np.array([0, 1]),
    "spans": np.array([[0.0, 1.0]]),
    "scores": np.array([0.5]),
}


def header(shape, dtype="<f8"):
    """Return the beginning of an array's file, without its values."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def write_table(path, **files):
    """Write a table whose arrays may be any bytes."""
    np.savez(path, **TABLE)
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members |= {f"{name}.npy": content for name, content in files.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_a_compressed_table_is_read(tmp_path):
    assert read_predictions(write_table(tmp_path / "proposals.npz")).scores == {"a": 0.5}


@pytest.mark.parametrize(
    "content",
    [
        header((10**9, 2)),
        header((10**18, 10**18)),
        header((-5, 2)),
        header((1,), "<U1000000000"),
        header((1,), "|O"),
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000,
        b"\x93NUMPY\x09\x00",
        b"",
    ],
    ids=["larger", "huge", "negative", "text", "object", "deep", "version", "empty"],
)
def test_an_array_that_is_not_what_it_states_is_refused(tmp_path, content):
    with pytest.raises(PredictionsError, match=r"proposals\.npz"):
        read_predictions(write_table(tmp_path / "proposals.npz", spans=content))


@pytest.mark.parametrize("name", ["prediction.json", "prediction.txt"])
def test_a_zip_that_grows_beyond_measure_is_not_unpacked(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, bytes(2**27))
    with pytest.raises(PredictionsError, match="would grow to 128 MiB"):
        read_predictions(tmp_path / "a.zip")


def test_a_table_that_grows_beyond_measure_is_not_unpacked(tmp_path):
    spans = header((2**23, 2)) + bytes(2**27)
    with pytest.raises(PredictionsError, match="would grow to 128 MiB"):
        read_predictions(write_table(tmp_path / "proposals.npz", spans=spans))
