"""Files appear whole or not at all, and an error names what keeps one from being written."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.errors import ModelFileError, OutputError
from mmmsba_plugin.files import (
    atomic_path,
    atomic_write,
    ensure_dir,
    read_bundled,
    require_writable,
    sha256_of,
    writing_to,
)


def test_atomic_write_leaves_the_whole_file_and_nothing_beside_it(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "report.json") as file:
        file.write("{}\n")
        assert not (tmp_path / "report.json").exists()

    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_bytes() == b"{}\n"


def test_atomic_write_takes_bytes(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "rows", "wb") as file:
        file.write(b"\xff")

    assert (tmp_path / "rows").read_bytes() == b"\xff"


def test_atomic_write_keeps_the_older_file_if_the_block_fails(tmp_path: Path) -> None:
    (path := tmp_path / "report.json").write_text("old")

    with pytest.raises(TypeError), atomic_write(path) as file:
        file.writelines(["half", None])

    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert path.read_text() == "old"


def test_atomic_write_into_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "report.json"

    with pytest.raises(OutputError, match="choose another place") as caught, atomic_write(path):
        pytest.fail("the file was opened")

    assert caught.value.path == path
    assert not path.parent.exists()


def test_atomic_path_serves_libraries_that_open_files_themselves(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "rows.npy") as partial, partial.open("wb") as file:
        np.save(file, np.arange(3))

    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]
    assert np.load(tmp_path / "rows.npy").tolist() == [0, 1, 2]


def test_atomic_path_that_cannot_take_its_place_is_an_output_error(tmp_path: Path) -> None:
    (path := tmp_path / "folder").mkdir()

    with pytest.raises(OutputError, match=re.escape(str(path))), atomic_path(path) as partial:
        partial.write_text("whole")

    assert list(tmp_path.iterdir()) == [path]


def test_writing_to_leaves_other_errors_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing_to(tmp_path):
        raise ZeroDivisionError


def test_ensure_dir_makes_all_folders_and_tolerates_them(tmp_path: Path) -> None:
    ensure_dir(tmp_path / "a" / "b")
    ensure_dir(tmp_path / "a" / "b")

    assert not list((tmp_path / "a" / "b").iterdir())


def test_ensure_dir_in_the_place_of_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputError, match="cannot write to"):
        ensure_dir(tmp_path / "file")


def test_require_writable_names_the_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="missing"):
        require_writable(tmp_path, tmp_path / "missing")


def test_sha256_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (path := tmp_path / "clip.mp4").write_bytes(b"clip" * 100_000)

    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_bundled_file_is_returned_only_if_it_has_the_stated_hash() -> None:
    with pytest.raises(ModelFileError, match="differs from the file that was bundled"):
        read_bundled("mmmsba_plugin", "files.py", sha256="0")
    with pytest.raises(ModelFileError, match=r"missing\.bin is missing"):
        read_bundled("mmmsba_plugin", "missing.bin", sha256="0")
