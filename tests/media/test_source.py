"""Media that lie in memory are read like files."""

import io

import pytest

from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import MediaTypeError


@pytest.fixture(scope="module")
def detector(checkpoint):
    return MmmsbaDetector.from_pretrained(checkpoint)


class _PathLike:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


def test_bytes_and_open_files_give_the_report_of_the_path(detector, talking_clip):
    data = talking_clip.read_bytes()
    of_path = detector.detect(talking_clip)
    with talking_clip.open("rb") as file:
        reports = [detector.detect(source) for source in (data, io.BytesIO(data), file)]
    for report in reports:
        assert (report.score, report.segments) == (of_path.score, of_path.segments)
        assert report.media.sha256 == of_path.media.sha256
    assert [report.media.path for report in reports] == ["bytes", "bytes", str(talking_clip)]
    assert detector.detect(_PathLike(talking_clip)).media.path == str(talking_clip)
    assert detector.predict(data) == of_path.score


def test_bytes_that_are_no_media_are_named_and_not_the_temporary_file(detector):
    report = detector.detect(b"no video at all")
    assert report.status == "error"
    assert "bytes" in report.problem.message
    assert "mmmsba-" not in report.model_dump_json()


@pytest.mark.parametrize("source", [None, 3, io.StringIO("text"), [1, 2]])
def test_anything_else_is_one_clear_error(detector, source):
    with pytest.raises(MediaTypeError, match="a path, bytes, or a file that is open for bytes"):
        detector.detect(source)
