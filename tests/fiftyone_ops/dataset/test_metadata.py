"""FiftyOne is told what a file holds, and what a browser cannot play of it."""

import fiftyone as fo

from fiftyone_ops.dataset.clock import look
from fiftyone_ops.dataset.metadata import (
    UNPLAYABLE,
    UNREADABLE,
    metadata_of,
    needs_copy,
    put,
    why_not_played,
    without_metadata,
)

from ...clips import clip


def test_metadata_state_what_the_file_holds(tmp_path):
    path = str(clip(tmp_path / "clip.mp4"))
    metadata = metadata_of(path, look(path))
    assert (metadata.frame_rate, metadata.total_frame_count, metadata.duration) == (25, 50, 2)
    assert (metadata.mime_type, metadata.encoding_str) == ("video/mp4", "h264")


def test_a_copy_is_needed_of_what_is_there_and_cannot_be_played(tmp_path):
    mpeg4, broken = tmp_path / "a.avi", tmp_path / "broken.mp4"
    clip(mpeg4)
    broken.write_bytes(bytes(100))
    paths = [str(mpeg4), str(broken), str(tmp_path / "missing.mp4")]
    indices = [look(path) for path in paths]
    assert [bool(why_not_played(index)) for index in indices] == [True, False, False]
    assert [needs_copy(*pair) for pair in zip(paths, indices, strict=True)] == [True, True, False]


def test_samples_are_tagged_by_what_is_wrong_and_keep_the_grid_alive(dataset, tmp_path):
    mpeg4 = clip(tmp_path / "a.avi")
    paths = [str(mpeg4), str(tmp_path / "missing.mp4")]
    ids = dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    files = dict(zip(ids, paths, strict=True))
    put(dataset, files, {key: look(path) for key, path in files.items()})
    assert dataset.values("tags") == [[UNPLAYABLE], [UNREADABLE]]
    assert dataset.values("metadata.frame_rate") == [25, 30]
    assert not without_metadata(dataset)
