"""Files that a detector cannot evaluate in full: each gets a report that says why."""

import hashlib
import logging
import os
import shutil
import sys
import wave
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin import Detector
from mmmsba_plugin.features.log_mel import LogMel
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Report
from mmmsba_plugin.testing import samples

from .clips import clip as numbered_clip
from .clips import numbered_frames, truncated, with_late_index


def write_beginning(source: Path, path: Path, *, num_frames: int, with_audio: bool = True) -> Path:
    """Write the beginning of a clip anew."""
    media = probe(source)
    frames = list(islice(FrameReader(media), num_frames))
    audio = next(iter(AudioReader(media, sample_rate_hz=16_000))).samples
    audio = audio[: num_frames * 16_000 // 25] if with_audio else None
    write_clip(path, frames, fps_hz=25, audio=audio, sample_rate_hz=16_000)
    return path


def write_speech(path: Path, *, duration_s: float = 2.0) -> Path:
    """Write audio without a frame."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((samples.samples(duration_s) * 20_000).astype("<i2").tobytes())
    return path


def reasons(report: Report, modality: str) -> set[str]:
    return {opt_out.reason for opt_out in report.modalities[modality].opt_outs}


class TestOddFiles:
    """Each gets a report: a verdict where there is a face or audio, and the reason where not."""

    def error(self, detector: Detector, path: Path) -> str:
        report = detector.detect(path)
        assert report.status == "error"
        assert report.media.path == str(path)
        assert (report.score, report.segments) == (None, ())
        return report.problem.message

    def test_one_that_is_not_there(self, detector, tmp_path):
        path = tmp_path / "gone.mp4"
        assert self.error(detector, path) == (
            f"there is no file at {path}; check the path and its spelling"
        )

    def test_a_folder(self, detector, tmp_path):
        assert "is a folder; give the files in it, such as" in self.error(detector, tmp_path)

    def test_text_that_calls_itself_video(self, detector, tmp_path):
        path = tmp_path / "text.mp4"
        path.write_text("<html>not found</html>")
        assert "it holds text, not video; if it was downloaded" in self.error(detector, path)

    def test_no_bytes_at_all(self, detector, tmp_path):
        path = tmp_path / "empty.mp4"
        path.touch()
        assert "is empty (0 bytes); copy or download it again" in self.error(detector, path)
        assert detector.detect(path).media.size_bytes == 0

    def test_one_cut_off_before_its_index(self, detector, talking_clip, tmp_path):
        late = with_late_index(talking_clip, tmp_path / "late.mp4")
        path = truncated(late, tmp_path / "cut.mp4", share=0.7)
        assert "its index (the moov box) is missing" in self.error(detector, path)

    def test_one_cut_off_behind_its_index_is_evaluated_as_far_as_it_goes(
        self, detector, talking_clip, tmp_path
    ):
        path = truncated(talking_clip, tmp_path / "cut.mp4", share=0.6)
        report = detector.detect(path)
        assert report.status == "ok"
        assert 0.5 < report.duration_s < 2.5
        assert any("it was cut off, so copy it again in full" in w for w in report.warnings)

    def test_a_frame_without_audio(self, detector, silent_clip):
        report = detector.detect(silent_clip)
        assert report.status == "ok"
        assert report.modalities["audio"].score is None
        assert reasons(report, "audio") == {"no audio stream"}
        assert report.modalities["lips"].score is not None

    def test_audio_without_a_frame(self, detector, tmp_path):
        report = detector.detect(write_speech(tmp_path / "voice.wav"))
        assert report.status == "ok"
        assert reasons(report, "face") == reasons(report, "lips") == {"no video stream"}
        assert report.score == report.modalities["audio"].score

    def test_a_frame_without_any_face(self, detector, tmp_path):
        report = detector.detect(samples.clip(tmp_path / "faceless.mp4"))
        assert report.status == "ok"
        assert report.modalities["face"].score is report.modalities["lips"].score is None
        assert reasons(report, "face") == {"no face"}
        assert all(s.modality in {"audio", None} for s in report.segments)

    def test_no_face_and_silence_is_no_verdict(self, detector, tmp_path):
        path = tmp_path / "nothing.mp4"
        write_clip(path, numbered_frames(50), fps_hz=25, audio=np.zeros(32_000, np.float32))
        report = detector.detect(path)
        assert (report.status, report.score, report.fake) == ("abstained", None, None)
        assert "no face, silence; give a clip in which a face is seen" in report.problem.message
        assert reasons(report, "audio") == {"silence"}
        assert report.duration_s == pytest.approx(2.0, abs=0.1)  # the codec's last packet

    def test_one_frame_with_a_face(self, detector, talking_clip, tmp_path):
        path = write_beginning(talking_clip, tmp_path / "one.mp4", num_frames=1, with_audio=False)
        report = detector.detect(path)
        assert report.status == "ok"
        assert len(report.curves.score) == 1

    def test_one_frame_of_nobody(self, detector, tmp_path):
        path = tmp_path / "one.mp4"
        write_clip(path, numbered_frames(1), fps_hz=25)
        assert detector.detect(path).status == "abstained"

    def test_a_tenth_of_a_second(self, at_score, talking_clip, tmp_path):
        path = write_beginning(talking_clip, tmp_path / "short.mp4", num_frames=3)
        report = at_score(0.0).detect(path)
        assert report.status == "ok"
        assert report.duration_s < 0.3
        assert report.segments[-1].end_s <= report.duration_s

    @pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 alone")
    def test_a_name_that_is_no_unicode(self, detector, talking_clip, tmp_path):
        path = tmp_path / os.fsdecode(b"\xff\xfe.mp4")
        shutil.copy(talking_clip, path)
        report = detector.detect(path)
        assert report.score == detector.detect(talking_clip).score
        assert "\\udcff" in Report.model_validate_json(report.model_dump_json()).media.path


class FailingFrontEnd(LogMel):
    """A front-end of somebody else's that cannot bear one clip."""

    fault: BaseException

    def start(self, media, grid):
        if "hostile" in media.path:
            raise self.fault
        super().start(media, grid)


@pytest.fixture
def failing_detector(checkpoint):
    """Function that makes a detector whose front-end raises a fault on hostile clips."""

    def make(fault: BaseException) -> Detector:
        front_end = type("Front", (FailingFrontEnd,), {"fault": fault})
        detector = Detector.from_pretrained(checkpoint)
        bound = detector.front_ends["audio"]
        entry = replace(bound.entry, build=front_end)
        detector.front_ends["audio"] = replace(bound, entry=entry)
        return detector

    return make


def faults() -> list[Exception]:
    import av
    import cv2

    return [
        RuntimeError("boom"),
        cv2.error("assertion failed"),
        av.error.InvalidDataError(1, "invalid"),
        MemoryError(),
    ]


class TestUnexpectedFaults:
    @pytest.mark.parametrize("fault", faults(), ids=lambda fault: type(fault).__name__)
    def test_one_is_the_clips_own_and_the_rest_go_on(
        self, failing_detector, tmp_path, caplog, fault
    ):
        hostile = numbered_clip(tmp_path / "hostile.mp4", duration_s=0.4, click_at_s=0.2)
        good = numbered_clip(tmp_path / "good.mp4", duration_s=0.4, click_at_s=0.2)
        with caplog.at_level(logging.ERROR, logger="mmmsba_plugin"):
            bad, fine = failing_detector(fault).detect_many([hostile, good])
        assert (bad.status, bad.problem.kind) == ("error", type(fault).__name__)
        assert f"judging {hostile} failed unexpectedly" in bad.problem.message
        # What was known when it failed is reported all the same.
        assert bad.media.sha256 == hashlib.sha256(hostile.read_bytes()).hexdigest()
        assert fine.status == "ok"
        (logged,) = caplog.records
        assert str(hostile) in logged.getMessage()
        assert logged.exc_info[1] is fault, "the log has the traceback"

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
    def test_a_wish_to_stop_is_not_caught(self, failing_detector, tmp_path, stop):
        hostile = numbered_clip(tmp_path / "hostile.mp4", duration_s=0.4)
        with pytest.raises(stop):
            list(failing_detector(stop()).detect_many([hostile]))
