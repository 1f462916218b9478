"""``mmmsba detect --resume``: clips with a report of the same network are left out."""

import json
import shutil
from pathlib import Path

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.detector import MmmsbaDetector

from ..clips import clip as numbered_clip
from .detect_files import files, read


class TestResume:
    @pytest.fixture
    def out(self, tmp_path):
        return tmp_path / "out"

    @pytest.fixture
    def evaluated_clips(self, monkeypatch):
        """Names of the clips that are evaluated, in order."""
        names = []
        detect = MmmsbaDetector.detect

        def spy(self, media, **options):
            names.append(Path(media).name)
            return detect(self, media, **options)

        monkeypatch.setattr(MmmsbaDetector, "detect", spy)
        return names

    def test_a_clip_that_was_evaluated_is_left_out(
        self, detect, clip, tmp_path, out, evaluated_clips
    ):
        other = shutil.copy(clip, tmp_path / "other.mp4")
        detect(clip, "-o", out)
        before = (out / "clip.json").stat().st_mtime_ns
        result = detect(clip, other, "-o", out, "--resume")
        assert evaluated_clips == ["clip.mp4", "other.mp4"]
        assert result.exit_code == _exit_codes.OK
        assert result.stdout.startswith("1 of 2 clips were evaluated before\n")
        assert (out / "clip.json").stat().st_mtime_ns == before

    def test_without_it_all_are_evaluated_again(self, detect, clip, out, evaluated_clips):
        detect(clip, "-o", out)
        detect(clip, "-o", out)
        assert evaluated_clips == ["clip.mp4", "clip.mp4"]

    def test_a_report_that_is_missing_or_damaged_is_made_anew(
        self, detect, clip, out, evaluated_clips
    ):
        detect(clip, "-o", out)
        (out / "clip.html").unlink()
        detect(clip, "-o", out, "--resume")
        assert files(out) == ["clip.html", "clip.json"]
        (out / "clip.json").write_text("{")
        detect(clip, "-o", out, "--resume")
        assert len(evaluated_clips) == 3

    def test_other_bytes_under_the_same_name_are_evaluated(
        self, detect, clip, out, evaluated_clips
    ):
        detect(clip, "-o", out)
        numbered_clip(clip, duration_s=0.6, click_at_s=0.1)
        detect(clip, "-o", out, "--resume")
        assert len(evaluated_clips) == 2

    def test_a_clip_of_the_same_name_in_another_folder_replaces_no_report(
        self, detect, clip, tmp_path, out, evaluated_clips
    ):
        detect(clip, "-o", out)
        (tmp_path / "elsewhere").mkdir()
        other = numbered_clip(tmp_path / "elsewhere" / clip.name, duration_s=0.6, click_at_s=0.1)
        detect(other, "-o", out)
        assert read(out / "clip.json").media.path == str(clip)
        assert read(out / "clip.mp4.json").media.path == str(other)
        for path in (clip, other):
            detect(path, "-o", out, "--resume")
        assert len(evaluated_clips) == 2

    def test_another_network_detects_again(self, detect, clip, out, evaluated_clips):
        detect(clip, "-o", out)
        report = json.loads((out / "clip.json").read_text())
        report["provenance"]["checkpoint_sha256"] = "0" * 64
        (out / "clip.json").write_text(json.dumps(report))
        detect(clip, "-o", out, "--resume")
        assert len(evaluated_clips) == 2

    def test_a_clip_without_its_silence_is_another(self, detect, clip, out, evaluated_clips):
        for options in (["--trim-silence"], ["--trim-silence"], ["--no-trim-silence"]):
            detect(clip, "-o", out, "--resume", *options)
        assert len(evaluated_clips) == 2

    def test_an_error_is_tried_again_and_an_abstention_is_not(
        self, detect, tmp_path, out, evaluated_clips
    ):
        missing = tmp_path / "gone.mp4"
        nothing = numbered_clip(tmp_path / "still.mp4", duration_s=2.0, click_at_s=9.0)
        first = detect(missing, nothing, "-o", out)
        assert read(out / "still.json").status == "abstained"
        second = detect(missing, nothing, "-o", out, "--resume")
        assert evaluated_clips == ["gone.mp4", "still.mp4", "gone.mp4"]
        assert first.exit_code == second.exit_code == _exit_codes.NOT_EVALUATED

    def test_it_needs_the_reports_that_it_reads(self, detect, clip):
        result = detect(clip, "--resume", "--format", "html")
        assert result.exit_code == _exit_codes.USAGE
        assert "add json to --format" in result.stderr
