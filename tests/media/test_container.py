"""Files that are opened, and reasons why others cannot be."""

import os

import pytest

from mmmsba_plugin.errors import MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media.probe import probe

from .. import clips
from .streams import frame_numbers


def test_a_colon_in_a_name_is_not_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips.clip(tmp_path / "a.mp4").rename("clip:1.mp4")
    assert len(frame_numbers(probe("clip:1.mp4"))) == 50


def test_a_name_that_is_no_unicode_is_read(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    clips.clip(tmp_path / "a.mp4").rename(path)
    assert len(frame_numbers(probe(path))) == 50


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MediaNotFoundError, match=r"there is no file at .*gone\.mp4; check the"):
        probe(tmp_path / "gone.mp4")


def test_for_a_folder_the_files_in_it_are_asked_for(tmp_path):
    (tmp_path / "one.mp4").write_bytes(b"")
    with pytest.raises(MediaUnreadableError, match=r"is a folder; .* such as .*one\.mp4"):
        probe(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is empty \(0 bytes\); copy or download it again"),
        ("<html>gefälscht</html>".encode(), "it holds text, not video; .* download it again"),
        (b"#EXTM3U\n/etc/other.mp4\n", "it holds text, not video"),
        (bytes(range(256)) * 20, "in no known video or audio format, .* or convert it to mp4"),
    ],
)
def test_a_file_that_is_no_video_is_recognised(tmp_path, content, words):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaUnreadableError, match=words):
        probe(path)


def test_a_recording_without_its_index_is_recognised(tmp_path):
    whole = clips.streamed(clips.clip(tmp_path / "a.mkv"), tmp_path / "b.mkv", muxer="matroska")
    late = clips.with_late_index(whole, tmp_path / "c.mp4")
    with pytest.raises(MediaUnreadableError, match=r"its index \(the moov box\) is missing"):
        probe(clips.truncated(late, tmp_path / "d.mp4", share=0.5))
