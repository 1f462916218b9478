"""``mmmsba detect``: every clip of a batch gets its reports, and options choose which."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.report.facts import command_again

from .detect_files import SUFFIXES, files, read, reports

#: A detector without thresholds for false-positive rates.
STUBBORN_FILE = """
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl

@hookimpl
def forensics_detectors():
    summary = "Has no thresholds."
    yield DetectorEntry(
        name="stubborn", summary=summary, modalities=("audio",), load=lambda path: object()
    )
"""

#: A detector that is indifferent.
CONSTANT_FILE = """
from mmmsba_plugin.adapter import AdaptedDetector, TimedScores
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl

def score(path):
    return {"face": TimedScores.of_windows([0.25] * 6, length_s=0.5, hop_s=0.5)}

@hookimpl
def forensics_detectors():
    yield DetectorEntry(
        name="constant", summary="Always says 0.25.", modalities=("face",),
        load=lambda path: AdaptedDetector("constant", score, ("face",))
    )
"""


class TestBatch:
    def test_each_clip_gets_its_reports_and_a_bad_one_stops_nothing(self, detect, clip, tmp_path):
        text = tmp_path / "text.mp4"
        text.write_text("no film")
        out = tmp_path / "out"
        result = detect(text, tmp_path / "gone.mp4", clip, "-o", out)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert reports(out) == sorted(
            f"{n}.{s}" for n in ("clip", "gone", "text") for s in SUFFIXES
        )
        assert [read(out / f"{n}.json").status for n in ("text", "gone", "clip")] == [
            *("error", "error", "ok")
        ]
        assert f"{text}: error: cannot read {text}: it holds text" in result.stdout

    def test_a_batch_that_is_evaluated_whole_is_success(self, detect, clip, tmp_path):
        assert detect(clip, "-o", tmp_path / "out").exit_code == _exit_codes.OK

    def test_the_same_clip_twice_is_evaluated_once(self, detect, clip, tmp_path):
        result = detect(clip, clip, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK
        assert result.stdout.count("score") == 1
        assert files(tmp_path / "out") == ["clip.html", "clip.json"]

    def test_two_clips_of_one_name_each_keep_their_report(self, detect, clip, tmp_path):
        other = tmp_path / "other" / "clip.mp4"
        third = tmp_path / "third" / "clip.mp4"
        for copy in (other, third):
            copy.parent.mkdir()
            shutil.copy(clip, copy)
        detect(clip, other, third, "-o", tmp_path / "out", "--format", "json")
        media_paths = {
            name: read(tmp_path / "out" / name).media.path for name in reports(tmp_path / "out")
        }
        assert media_paths == {
            "clip.json": str(clip),
            "clip.mp4.json": str(other),
            "clip.mp4-2.json": str(third),
        }

    def test_beside_a_clip_nothing_of_its_owners_is_replaced(self, detect, clip, tmp_path):
        (tmp_path / "clip.json").write_text("annotations")
        (tmp_path / "clip.vtt").write_text("subtitles")
        for output in ((), ("-o", tmp_path)):
            assert detect(clip, "--format", "json,vtt", *output).exit_code == _exit_codes.OK
        assert (tmp_path / "clip.json").read_text() == "annotations"
        assert (tmp_path / "clip.vtt").read_text() == "subtitles"
        assert read(tmp_path / "clip.mmmsba.json").status == "ok"

    def test_a_name_as_long_as_names_can_be_leaves_room_for_its_report(
        self, detect, clip, tmp_path
    ):
        long = [clip.rename(tmp_path / f"{'ü' * 125}.mp4")]
        long.append(shutil.copy(long[0], tmp_path / f"{'ü' * 124}.mp4"))
        assert detect(*long, "-o", tmp_path / "out", "--format", "json").exit_code == _exit_codes.OK
        assert reports(tmp_path / "out") == [f"{'ü' * 100}-2.json", f"{'ü' * 100}.json"]

    def test_a_misspelt_folder_is_not_made(self, detect, tmp_path):
        result = detect(tmp_path / "typo" / "clip.mp4")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "check the path and its spelling" in result.stdout
        assert files(tmp_path) == []

    @pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 alone")
    def test_a_name_that_is_no_unicode_is_printed_and_written(self, detect, clip, tmp_path):
        strange = clip.rename(tmp_path / os.fsdecode(b"\xff.mp4"))
        result = detect(strange, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.OK
        assert "\\udcff.mp4: " in result.stdout
        assert os.fsdecode(b"\xff.json") in files(tmp_path / "out")


class TestChoices:
    @pytest.mark.usefixtures("unbundled")
    def test_without_a_checkpoint_the_error_names_the_ways_to_one(self, run, clip):
        result = run("detect", "--no-isolation", clip)
        assert result.exit_code == _exit_codes.STOPPED
        assert result.stderr.startswith("error: no checkpoint was given")
        assert "`mmmsba train --data FOLDER -o my-checkpoint`" in result.stderr
        assert files(clip.parent) == ["clip.mp4"]

    def test_an_unknown_format_is_answered_with_those_there_are(self, detect, clip, tmp_path):
        result = detect(clip, "-o", tmp_path / "out", "--format", "json,josn")
        assert result.exit_code == _exit_codes.STOPPED
        assert "there are: activitynet, audacity, av-deepfake1m, csv" in result.stderr
        assert "did you mean 'json'?" in result.stderr

    def test_all_formats_can_be_written_at_once(self, detect, clip, tmp_path):
        detect(clip, "-o", tmp_path / "out", "--format", "json, csv,vtt,curves,html")
        suffixes = ("csv", "curves.csv", "html", "json", "vtt")
        assert files(tmp_path / "out") == [f"clip.{suffix}" for suffix in suffixes]

    def test_no_format_detects_and_writes_nothing(self, detect, clip):
        result = detect(clip, "--format", "")
        assert result.exit_code == _exit_codes.OK
        assert "score" in result.stdout
        assert files(clip.parent) == ["clip.mp4"]


class TestCommandOfReport:
    @pytest.fixture
    def made_again(self, run, checkpoint, tmp_path):
        """The report that the command of a report leads to."""

        def run_again(report):
            # The folder of the weights has a name there, and here lies elsewhere.
            command = command_again(report).replace(checkpoint.name, str(checkpoint))
            result = run(*shlex.split(command)[1:], "--no-isolation", "-o", tmp_path / "out")
            assert result.exit_code == _exit_codes.OK, result.output
            return read(tmp_path / "out" / "talking.json")

        return run_again

    @pytest.mark.parametrize("share", [0.4, 0.8])
    def test_it_makes_the_report_again_at_any_threshold(
        self, checkpoint, talking_clip, made_again, share
    ):
        detector = MmmsbaDetector.from_pretrained(checkpoint)
        scores = [p for p in detector.detect(talking_clip).curves.score if p is not None]
        report = detector.with_threshold(float(np.quantile(scores, share))).detect(talking_clip)
        again = made_again(report)
        assert again.segments == report.segments
        assert again.threshold == report.threshold
        assert again.provenance.config == report.provenance.config

    @pytest.mark.parametrize("is_trimmed", [True, False])
    def test_it_makes_the_report_again_with_silence_trimmed_or_kept(
        self, checkpoint, talking_clip, made_again, is_trimmed
    ):
        detector = MmmsbaDetector.from_pretrained(checkpoint)
        report = detector.detect(talking_clip, trim_silence=is_trimmed)
        again = made_again(report)
        assert again.provenance.config == report.provenance.config
        assert again.provenance.config["features"]["trim_silence"] is is_trimmed

    def test_it_loads_the_plugin_file_that_the_detector_is_in(self, talking_clip, tmp_path):
        path = tmp_path / "my detector.py"
        path.write_text(CONSTANT_FILE)
        plugins.load_file(path)
        report = plugins.lookup("detectors", "constant").load(None).detect(talking_clip)
        command = shlex.split(command_again(report))[1:]
        # Another process, which has not loaded it.
        subprocess.run(
            [sys.executable, "-m", "mmmsba_plugin", *command, "-o", tmp_path / "out"], check=True
        )
        assert read(tmp_path / "out" / "talking.json").score == report.score


class TestThreshold:
    def test_a_threshold_and_a_rate_are_one_too_many(self, detect, clip):
        result = detect(clip, "--threshold", 0.5, "--fpr", 0.05)
        assert result.exit_code == _exit_codes.USAGE
        assert "both choose a threshold" in result.stderr

    def test_a_threshold_that_is_no_probability_is_a_wrong_command_line(self, detect, clip):
        assert detect(clip, "--threshold", 1.5).exit_code == _exit_codes.USAGE


class TestFalsePositiveRate:
    @pytest.fixture
    def detect_at(self, run, checkpoint, tmp_path):
        """Runs the command at a rate; every clip reaches the threshold of 0.05, none of 0.01."""
        folder = shutil.copytree(checkpoint, tmp_path / "two_rates")
        config = json.loads((folder / "config.json").read_text())
        config["score_thresholds"] = [
            {"value": 1.0, "false_positive_rate": 0.01},
            {"value": 0.0, "false_positive_rate": 0.05},
        ]
        (folder / "config.json").write_text(json.dumps(config))
        command = ("detect", "--no-isolation", "--checkpoint", folder, "-o", tmp_path / "out")
        return lambda rate, *arguments: run(*command, "--fpr", rate, *arguments)

    @pytest.mark.parametrize(("rate", "fake"), [(0.01, False), (0.05, True)])
    def test_the_rate_decides_the_verdict_and_the_places(
        self, detect_at, clip, tmp_path, rate, fake
    ):
        result = detect_at(rate, clip)
        assert result.exit_code == _exit_codes.OK, result.stderr
        report = read(tmp_path / "out/clip.json")
        assert report.threshold.false_positive_rate == rate
        assert report.fake == bool(report.segments) == fake

    def test_a_rate_without_a_threshold_stops_the_run_before_any_report(
        self, detect_at, clip, tmp_path
    ):
        result = detect_at(0.2, clip)
        assert result.exit_code == _exit_codes.STOPPED
        assert (
            "no threshold for a false-positive rate of 0.2: choose from 0.01, 0.05" in result.stderr
        )
        assert not (tmp_path / "out").exists()

    def test_a_clip_that_was_evaluated_at_another_rate_is_evaluated_again(self, detect_at, clip):
        for rate, before in ((0.01, 0), (0.01, 1), (0.05, 0), (0.05, 1)):
            result = detect_at(rate, clip, "--resume")
            assert result.stdout.startswith(f"{before} of 1 clips were evaluated before")

    def test_a_detector_without_thresholds_to_choose_from_is_named(self, run, clip, tmp_path):
        path = tmp_path / "stubborn.py"
        path.write_text(STUBBORN_FILE)
        plugins.load_file(path)
        result = run("detect", clip, "--no-isolation", "--detector", "stubborn", "--fpr", 0.05)
        assert result.exit_code == _exit_codes.USAGE
        assert "this detector has no thresholds to choose from; leave out" in result.stderr
