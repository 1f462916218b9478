"""Results of a file are computed once, and anew once the file changed."""

import os
from pathlib import Path

from fiftyone_ops.panels.file_cache import cached_by_file


def test_a_result_is_kept_until_its_file_changes(tmp_path):
    calls = []

    @cached_by_file(2)
    def read(path, suffix):
        calls.append(path)
        return Path(path).read_text() + suffix

    file = tmp_path / "a.txt"
    file.write_text("before")
    assert [read(str(file), "!"), read(str(file), "!")] == ["before!", "before!"]
    assert len(calls) == 1
    file.write_text("after")
    os.utime(file, ns=(0, 1))
    assert read(str(file), "!") == "after!"


def test_what_is_no_file_is_kept_too():
    calls = []
    count = cached_by_file(1)(lambda path: calls.append(path) or len(calls))
    assert [count("gone.mp4"), count("gone.mp4")] == [1, 1]
