"""Reports are announced: each once, whichever detector made it and whichever way it was run."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.errors import CapabilityError
from mmmsba_plugin.hookspecs import Detector, DetectorEntry, hookimpl
from mmmsba_plugin.isolation import DetectorChoice, IsolatedDetector, TrustingDetector
from mmmsba_plugin.plugins import announced_detector
from mmmsba_plugin.testing import samples
from mmmsba_plugin.workers import Limits

#: A detector of somebody else, which knows nothing of announcements.
QUIET_PLUGIN = """
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl
from mmmsba_plugin.testing import samples

class Quiet:
    info = {"name": "quiet", "summary": "Quiet.", "modalities": ["audio"]}

    def __init__(self, score=0.91):
        self.score = score

    def with_threshold(self, probability):
        return Quiet(score=probability)

    def detect(self, media, **options):
        if "crash" in str(media):
            import os
            os._exit(1)
        return samples.report("ok", str(media)).model_copy(update={"score": self.score})

    def detect_many(self, media, **options):
        return (self.detect(path) for path in media)

    def predict(self, media):
        return self.score

@hookimpl
def forensics_detectors():
    yield DetectorEntry(
        name="quiet", summary="Quiet.", modalities=("audio",), load=lambda path: Quiet()
    )
"""


@pytest.fixture
def announced_paths():
    """Paths of the reports that a plug-in of this process was told of."""
    paths = []
    ears = SimpleNamespace(
        forensics_report_ready=hookimpl(lambda report, media: paths.append(str(media)))
    )
    plugins.manager().register(ears, name="ears")
    yield paths
    plugins.manager().unregister(name="ears")


@pytest.fixture
def quiet_file(tmp_path) -> Path:
    path = tmp_path / "quiet.py"
    path.write_text(QUIET_PLUGIN)
    return path


@pytest.fixture
def quiet(quiet_file) -> Detector:
    plugins.load_file(quiet_file)
    return plugins.lookup("detectors", "quiet").load(None)


class TestAnnounce:
    def test_all_are_told_and_one_that_fails_is_a_warning(self, install):
        reports = []

        def deaf(report):
            raise ConnectionError("index is down")

        install(
            deaf=SimpleNamespace(forensics_report_ready=hookimpl(deaf)),
            ears=SimpleNamespace(
                forensics_report_ready=hookimpl(
                    lambda report, media: reports.append((report, media))
                )
            ),
        )
        report = samples.report("ok", "clip.mp4")
        assert plugins.announce(report).warnings == (
            *report.warnings,
            "plug-in 'deaf' (deaf-dist 1.2) failed on a report: ConnectionError: index is down",
        )
        assert reports == [(report, Path("clip.mp4"))]

    def test_what_is_left_to_the_caller_is_not_announced(self, announced_paths):
        with plugins.unannounced():
            plugins.announce(samples.report("ok", "a.mp4"))
        plugins.announce(samples.report("ok", "b.mp4"))
        assert announced_paths == ["b.mp4"]


class TestOfAnybody:
    def test_a_detector_is_loaded_so_that_each_report_is_announced_once(
        self, quiet, announced_paths
    ):
        assert quiet.detect("a.mp4").score == 0.91
        assert [
            report.media.path for report in quiet.detect_many(["b.mp4", "c.mp4"])
        ] == announced_paths[1:]
        assert announced_paths == ["a.mp4", "b.mp4", "c.mp4"]

    def test_its_variants_are_too(self, quiet, announced_paths):
        assert plugins.with_threshold(quiet, 0.25).detect("a.mp4").score == 0.25
        assert announced_paths == ["a.mp4"]
        with pytest.raises(CapabilityError, match="no thresholds"):
            plugins.at_false_positive_rate(quiet, 0.05)

    def test_it_stays_a_detector_with_what_else_it_has(self, quiet):
        assert isinstance(quiet, Detector)
        assert (quiet.score, quiet.predict("a.mp4"), quiet.info["name"]) == (0.91, 0.91, "quiet")
        with pytest.raises(AttributeError, match="no attribute 'dance'"):
            quiet.dance()

    def test_its_options_of_loading_are_still_known(self, install):
        def load(path, threads):
            return samples.report("ok")

        entry = DetectorEntry(name="one", summary="One.", modalities=("audio",), load=load)
        install(a=SimpleNamespace(forensics_detectors=hookimpl(lambda: [entry])))
        with pytest.raises(CapabilityError, match="cannot be loaded with device"):
            plugins.load_with(plugins.lookup("detectors", "one"), None, {"device": "cuda"})

    def test_reports_of_workers_and_of_clips_that_crash_them_are_announced_here(
        self, quiet_file, announced_paths
    ):
        choice = DetectorChoice("quiet", plugin_files=(str(quiet_file),))
        with IsolatedDetector(choice, limits=Limits(memory_mib=None)) as isolated:
            reports = list(isolated.detect_many(["a.mp4", "crash.mp4"]))
            assert [report.status for report in reports] == ["ok", "error"]
            clips = [(Path("b.mp4"), [Path("copy-of-b.mp4")]), (Path("crash.mp4"), [])]
            items = list(isolated.render_unordered(clips, ["json"]))
        assert len(items) == 3
        assert sorted(announced_paths) == [
            *("a.mp4", "b.mp4", "copy-of-b.mp4"),
            *("crash.mp4", "crash.mp4"),
        ]

    def test_reports_without_isolation_are_announced_with_those_of_copies(
        self, quiet, announced_paths
    ):
        trusting = TrustingDetector(quiet)
        list(trusting.render_unordered([(Path("a.mp4"), [Path("b.mp4")])], ["json"]))
        assert announced_paths == ["a.mp4", "b.mp4"]


class TestOurs:
    def test_it_announces_each_report_once_by_itself(self, detector, talking_clip, announced_paths):
        assert announced_detector(detector) is detector
        detector.detect(talking_clip)
        list(detector.detect_many([talking_clip]))
        assert announced_paths == [str(talking_clip)] * 2

    def test_bytes_are_announced_under_the_name_that_the_report_has(
        self, detector, talking_clip, announced_paths
    ):
        with talking_clip.open("rb") as file:
            assert detector.detect(file).media.path == str(talking_clip)
        assert detector.detect(b"no clip").status == "error"
        assert announced_paths == [str(talking_clip), "bytes"]

    def test_reports_of_its_workers_are_announced_here(
        self, checkpoint, talking_clip, announced_paths
    ):
        from mmmsba_plugin import Detector as OwnDetector

        detector = OwnDetector.from_pretrained(checkpoint)
        list(detector.detect_many([talking_clip], workers=1))
        assert announced_paths == [str(talking_clip)]


def test_a_detector_that_raises_is_announced_by_whoever_reports_on_it(quiet, announced_paths):
    from mmmsba_plugin.isolation import error_report

    report = error_report(Path("a.mp4"), RuntimeError("boom"), quiet.info)
    assert (report.status, announced_paths) == ("error", ["a.mp4"])
