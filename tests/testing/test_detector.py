"""The contract of detectors: our own keeps it, and it catches what it is there for."""

import threading
import time
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest

from mmmsba_plugin.adapter import AdaptedDetector, TimedScores
from mmmsba_plugin.errors import CheckpointNotFoundError
from mmmsba_plugin.hookspecs import DetectorEntry
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import FakeSegment
from mmmsba_plugin.testing import DetectorContract, samples


class TestMmmsBa(DetectorContract):
    entry = lookup("detectors", "mmms-ba")

    @pytest.fixture(autouse=True)
    def _trained(self, checkpoint):
        self.checkpoint = checkpoint


class Toy:
    """A detector that finds the same in each file that is a clip."""

    @property
    def info(self):
        return {"name": "toy", "summary": "A toy.", "modalities": ["audio"]}

    def detect(self, media, **options):
        is_clip = Path(media).is_file() and b"ftyp" in Path(media).read_bytes()[:16]
        report = samples.report("ok" if is_clip else "error", str(media))
        is_blank = Path(media).name == "blank.mp4"
        return report.model_copy(update={"score": 0.1, "segments": ()}) if is_blank else report

    def detect_many(self, media, **options):
        return (self.detect(path, **options) for path in media)

    def predict(self, media):
        report = self.detect(media)
        if report.score is None:
            raise ValueError(report.problem.message)
        return report.score


def contract_of(detector):
    class Contract(DetectorContract):
        entry = DetectorEntry(
            name="toy",
            summary="A toy.",
            modalities=("audio",),
            load=lambda path: detector(),
            cpu_s_per_s=getattr(detector, "cpu_s_per_s", None),
        )

    return Contract()


class TestToy(DetectorContract):
    entry = contract_of(Toy).entry


class Random(Toy):
    """A detector whose score is another each time."""

    score = 0.5

    def detect(self, media, **options):
        Random.score /= 2
        return super().detect(media).model_copy(update={"score": Random.score})


class Strict(Toy):
    """A detector that knows no options."""

    def detect(self, media):
        return super().detect(media)


class Inventive(Toy):
    """A detector that makes up a score for a file that is no clip."""

    def predict(self, media):
        return 0.91


class Hasty(Toy):
    """A detector that evaluates all clips at once."""

    def detect_many(self, media, **options):
        return list(super().detect_many(media, **options))


class Late(Toy):
    """A detector whose segments reach beyond the clip."""

    def detect(self, media, **options):
        report = super().detect(media)
        segments = (FakeSegment(start_s=3.0, end_s=40.0, score=0.9),)
        return report.model_copy(update={"segments": segments, "proposals": ()})


class Suspicious(Toy):
    """A detector that finds a fake where nothing is."""

    def detect(self, media, **options):
        return samples.report("ok", str(media))


class Silent(Toy):
    """A detector that says it announces its reports, and does not."""

    @property
    def info(self):
        return {**super().info, "announces_reports": True}


class Unequal(Toy):
    """A detector whose score depends on the thread."""

    def detect(self, media, **options):
        is_main = threading.current_thread() is threading.main_thread()
        return super().detect(media).model_copy(update={"score": 0.9 if is_main else 0.8})


class Slow(Toy):
    """A detector that takes more than it says."""

    cpu_s_per_s = 1e-3

    def detect(self, media, **options):
        end_s = time.process_time() + 1.2
        while time.process_time() < end_s:
            pass
        return super().detect(media)


def adapted(score, **settings):
    """Return a class of detectors, as it were, that score windows of a tenth of a second."""

    def score_windows(path):
        samples = read_audio(probe(path)).samples
        windows = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)
        scores = score(np.abs(windows).mean(axis=1))
        return {"audio": TimedScores.of_windows(scores, length_s=0.1, hop_s=0.1)}

    return lambda: AdaptedDetector("toy", score_windows, ("audio",), **settings)


def relative(levels):
    """Score each window relative to all of them, whatever the clip."""
    return np.linspace(0, 1, len(levels)) * levels / levels.max()


def local(levels):
    """Score each window by itself."""
    return levels


def smoothed(levels):
    """Score each window with the next one."""
    return (levels + np.append(levels[1:], levels[-1])) / 2


WHOLE = "test_a_part_is_scored_as_within_the_whole"


@pytest.mark.parametrize(("score", "reach_s"), [(local, 0.1), (smoothed, 0.2)])
def test_a_detector_keeps_what_it_says_of_its_reach(tmp_path, score, reach_s):
    getattr(contract_of(adapted(score, reach_s=reach_s)), WHOLE)(tmp_path)


def test_a_detector_that_needs_the_whole_clip_cannot_say_otherwise(tmp_path):
    with pytest.raises(AssertionError, match=r"differ by up to 0\.\d+, more than reach_s=1 s"):
        getattr(contract_of(adapted(relative, reach_s=1.0)), WHOLE)(tmp_path)


def test_a_detector_that_says_nothing_of_its_reach_learns_the_difference(tmp_path):
    with pytest.raises(SkipTest, match=r"does not say how far scores reach .* up to 0\.\d+"):
        getattr(contract_of(adapted(relative)), WHOLE)(tmp_path)


def test_a_clip_too_short_for_the_reach_is_no_proof(tmp_path):
    with pytest.raises(SkipTest, match="make long_media longer"):
        getattr(contract_of(adapted(local, reach_s=3.0)), WHOLE)(tmp_path)


@pytest.mark.parametrize(
    ("detector", "claim", "error"),
    [
        (Late, "test_segments_are_seconds_within_the_clip", AssertionError),
        (Suspicious, "test_black_and_silence_are_not_called_fake", AssertionError),
        (Silent, "test_each_report_is_announced_once", AssertionError),
        (Unequal, "test_threads_detect_at_once_and_get_the_same_score", AssertionError),
        (Slow, "test_it_costs_what_it_says", AssertionError),
        (Random, "test_the_same_clip_gets_the_same_score", AssertionError),
        (Strict, "test_unknown_options_are_tolerated", TypeError),
        (Inventive, "test_predict_returns_the_score_or_raises", AssertionError),
        (Hasty, "test_one_bad_file_does_not_stop_the_rest", AssertionError),
    ],
)
def test_a_faulty_detector_fails(tmp_path, detector, claim, error):
    with pytest.raises(error):
        getattr(contract_of(detector), claim)(tmp_path)


def test_a_detector_without_a_default_checkpoint_is_skipped_and_not_passed():
    def load():
        raise CheckpointNotFoundError("there are no weights")

    with pytest.raises(SkipTest, match="it has no default checkpoint"):
        contract_of(load).load()
