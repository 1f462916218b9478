"""Bounds on what a packed file may take once it is unpacked, before anything is unpacked."""

import zipfile
from pathlib import Path

import numpy as np

from mmmsba_plugin.errors import PredictionsError

#: So much is unpacked of any file, in bytes.
_FREE_BYTES = 2**26
#: Beyond that, at most so many times the packed size: digits shrink to a third, and a table in
#: which a hundred thousand clips have the same proposals to a fiftieth.
_MAX_RATIO = 100

#: Names of NumPy's arrays in a zip end so.
_ARRAY_SUFFIX = ".npy"


def require_plausible_sizes(packed: zipfile.ZipFile, path: Path) -> None:
    """Check that a zip does not grow beyond measure.

    Raises:
        PredictionsError: It does.
    """
    unpacked_bytes = sum(member.file_size for member in packed.infolist())
    if unpacked_bytes > max(_FREE_BYTES, _MAX_RATIO * path.stat().st_size):
        raise PredictionsError(
            f"{path} would grow to {unpacked_bytes >> 20} MiB, more than {_MAX_RATIO} times its "
            "size; give it unpacked if that is meant",
            path=path,
        )


def require_plausible_arrays(packed: zipfile.ZipFile, path: Path) -> None:
    """Check that arrays are as large as their files, for memory is taken by what they state.

    Raises:
        PredictionsError: One states more than its file holds.
        ValueError: The header of one is damaged.
    """
    for member in packed.infolist():
        if not member.filename.endswith(_ARRAY_SUFFIX):
            continue
        with packed.open(member) as file:
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(file)
        num_values = 1
        for length in shape:
            num_values *= length
        if num_values * dtype.itemsize > member.file_size:
            raise PredictionsError(
                f"{path} has {member.filename} of shape {shape}, which is more than the file "
                "holds; write it again",
                path=path,
            )
