"""Detection in worker processes: a clip that crashes a codec costs its own report alone."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ConfigError, PluginNotFoundError
from mmmsba_plugin.isolation import DetectorChoice, IsolatedDetector
from mmmsba_plugin.schema import Report
from mmmsba_plugin.workers import Limits

from .hostile_plugin import hostile_plugin

#: Detects in this process, and then in a copy of it.
FORK = """
import os, sys
import torch
from mmmsba_plugin.detector import MmmsbaDetector

def use_all_threads():
    torch.ones(1 << 22).sin()

detector = MmmsbaDetector.from_pretrained(sys.argv[1])
before = detector.detect(sys.argv[2])
# As networks larger than this do.
use_all_threads()
child = os.fork()
if child == 0:
    use_all_threads()
    after = [detector.detect(sys.argv[2]), *detector.detect_many([sys.argv[2]], workers=1)]
    os._exit(0 if [a.score for a in after] == [before.score] * 2 else 1)
print(before.status, os.waitpid(child, 0)[1])
"""


@pytest.fixture(autouse=True)
def _fresh_plugins():
    plugins.forget()
    yield
    plugins.forget()


@pytest.fixture
def choice(tmp_path):
    """The stranger's detector that crashes, as a worker can load it."""
    return DetectorChoice("hostile", plugin_files=(str(hostile_plugin(tmp_path)),))


@pytest.fixture
def media(tmp_path):
    """Makes files of such names."""

    def make(*names):
        for name in names:
            (tmp_path / name).write_bytes(name.encode())
        return [str(tmp_path / name) for name in names]

    return make


def test_a_crash_is_a_report_and_the_rest_go_on(choice, media):
    paths = media("a.mp4", "segfault.mp4", "b.mp4")
    with IsolatedDetector(choice) as detector:
        reports = list(detector.detect_many(paths, command="mmmsba detect"))
    assert [(r.media.path, r.status) for r in reports] == list(
        zip(paths, ("ok", "error", "ok"), strict=True)
    )
    crashed = reports[1]
    assert crashed.problem.kind == "WorkerError"
    assert "died (signal SIGSEGV)" in crashed.problem.message
    assert crashed.media.size_bytes == len("segfault.mp4")
    assert crashed.provenance.detector == "hostile"
    assert crashed.provenance.command == "mmmsba detect"


def test_a_clip_that_hangs_is_a_report_after_its_time(choice, media):
    limits = Limits(floor_s=5.0, per_second=1.0)
    with IsolatedDetector(choice, limits=limits) as detector:
        reports = list(detector.detect_many(media("hang.mp4", "a.mp4")))
    assert [r.status for r in reports] == ["error", "ok"]
    assert reports[0].problem.kind == "TimeLimitError"


def test_a_detector_that_raises_costs_its_clip(choice, media):
    with IsolatedDetector(choice) as detector:
        reports = list(detector.detect_many(media("bug.mp4", "a.mp4")))
    assert [r.status for r in reports] == ["error", "ok"]
    assert "failed unexpectedly: ZeroDivisionError: a bug" in reports[0].problem.message


def test_reports_come_as_they_are_complete_or_in_order(choice, media):
    paths = media("slow.mp4", "a.mp4", "b.mp4")
    with IsolatedDetector(choice, workers=2) as detector:
        pairs = [(Path(path), ()) for path in paths]
        early = [str(each.clip) for each in detector.render_unordered(pairs, ["json"])]
        in_order = [report.media.path for report in detector.detect_many(paths)]
    assert sorted(early) == sorted(paths)
    assert early[-1] == paths[0]
    assert in_order == paths


def test_reports_are_rendered_where_the_clip_is_decoded(choice, media):
    paths = [Path(path) for path in media("a.mp4", "copy.mp4", "segfault.mp4")]
    pairs = [(paths[0], paths[1:2]), (paths[2], ())]
    with IsolatedDetector(choice) as detector:
        each = list(detector.render_unordered(pairs, ["json", "no-such-writer"]))
    assert [(r.clip, r.copy_of, r.report.status) for r in each] == [
        (paths[0], None, "ok"),
        (paths[1], paths[0], "ok"),
        (paths[2], None, "error"),
    ]
    for item in each:
        assert Report.model_validate_json(item.texts["json"]).media.path == str(item.clip)
        assert isinstance(item.texts["no-such-writer"], PluginNotFoundError)
    assert str(paths[0]) in each[1].report.warnings[0]


def test_the_detector_says_what_it_is_once_it_is_loaded(choice):
    with IsolatedDetector(choice) as detector:
        assert detector.info["name"] == "hostile"
    with (
        pytest.raises(PluginNotFoundError, match="hostilf"),
        IsolatedDetector(DetectorChoice("hostilf")) as detector,
    ):
        assert detector.info


def test_its_threshold_is_chosen_by_a_rate(tmp_path, media):
    choice = DetectorChoice("hostile", None, 0.05, (str(hostile_plugin(tmp_path)),))
    with IsolatedDetector(choice) as detector:
        [report] = detector.detect_many(media("a.mp4"))
    assert report.threshold.value == 0.95


def test_our_detector_reports_the_same_in_workers(checkpoint, talking_clip):
    detector = MmmsbaDetector.from_pretrained(checkpoint).with_threshold(0.7)
    content = talking_clip.read_bytes()
    sources = [talking_clip, content, io.BytesIO(content)]
    here = detector.detect(talking_clip)
    for report in detector.detect_many(sources, workers=1, trim_silence=False):
        assert (report.score, report.threshold) == (here.score, here.threshold)
        assert report.provenance.checkpoint == here.provenance.checkpoint


def test_a_detector_without_a_folder_cannot_go_to_workers(checkpoint, talking_clip):
    detector = MmmsbaDetector.from_pretrained(checkpoint)
    loose = MmmsbaDetector(detector.network, detector.config)
    with pytest.raises(ConfigError, match="leave out workers, or make it with from_pretrained"):
        list(loose.detect_many([talking_clip], workers=1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_copy_of_a_process_that_has_detected_detects(checkpoint, talking_clip):
    # With one thread alone, no copy would hang.
    environ = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", FORK, checkpoint, talking_clip]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ, timeout=100
    )
    assert result.stdout == "ok 0\n", result.stderr
