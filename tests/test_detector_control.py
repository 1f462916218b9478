"""The detector while it runs: progress, cancellation, limit of time, and explanations."""

import threading
import time

import cv2
import numpy as np
import pytest
import torch

from mmmsba_plugin import Detector
from mmmsba_plugin.errors import MediaNotFoundError, RunCancelledError
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.run_control import Progress


@pytest.fixture(scope="module")
def fresh(checkpoint) -> Detector:
    """A detector that keeps no features, so that each run computes them."""
    return Detector.from_pretrained(checkpoint)


def test_a_report_says_where_the_network_looked_if_asked(fresh, talking_clip):
    lowered = fresh.with_threshold(0.0)
    usual = lowered.detect(talking_clip)
    report = lowered.detect(talking_clip, attention=True)
    assert usual.attention == ()
    assert {each.segment for each in report.attention} == set(range(1, len(report.segments) + 1))
    assert "lips_from_audio" in report.attention[0].weights
    stamped = {"provenance": usual.provenance, "attention": ()}
    assert report.model_copy(update=stamped) == usual
    assert "attention" in fresh.info["options"]


def test_progress_is_told_in_seconds_of_the_clip(fresh, talking_clip):
    steps: list[Progress] = []
    report = fresh.detect(talking_clip, on_progress=steps.append)
    assert {step.stage for step in steps} == {"seconds"}
    (total,) = {step.total for step in steps}
    assert total == pytest.approx(report.duration_s, abs=0.2)
    times_s = [step.num_done for step in steps]
    assert times_s == sorted(times_s)
    assert times_s[-1] == pytest.approx(report.duration_s, abs=0.2)


def test_a_run_is_cancelled_within_a_second_and_the_detector_goes_on(fresh, talking_clip):
    stop, cancelled_s = threading.Event(), []

    def stop_at_half(step: Progress) -> None:
        if step.num_done > step.total / 2 and not stop.is_set():
            stop.set()
            cancelled_s.append(time.thread_time())

    with pytest.raises(RunCancelledError):
        fresh.detect(talking_clip, cancel=stop, on_progress=stop_at_half)
    # Processor time, so that a busy machine changes little.
    assert time.thread_time() - cancelled_s[0] < 1.0
    assert fresh.detect(talking_clip).status == "ok"


def test_many_clips_are_cancelled_before_the_next_one(fresh, talking_clip):
    stop = threading.Event()
    reports = fresh.detect_many([talking_clip] * 3, cancel=stop)
    assert next(reports).status == "ok"
    stop.set()
    with pytest.raises(RunCancelledError):
        next(reports)


def test_workers_are_ended_when_a_run_is_cancelled(checkpoint, talking_clip):
    stop, steps = threading.Event(), []
    reports = Detector.from_pretrained(checkpoint).detect_many(
        [talking_clip] * 50, workers=1, cancel=stop, on_progress=steps.append
    )
    assert next(reports).status == "ok"
    assert steps == [Progress("clips", 1)]
    stop.set()
    with pytest.raises(RunCancelledError):
        list(reports)


def test_a_clip_that_takes_too_long_gets_a_report_that_says_so(fresh, talking_clip):
    report = fresh.detect(talking_clip, time_limit_s=1e-6)
    assert report.status == "error"
    assert report.problem.kind == "TimeLimitError"
    assert fresh.detect(talking_clip, time_limit_s=600).status == "ok"


def test_two_threads_that_detect_at_once_leave_the_process_its_threads(checkpoint, talking_clip):
    detector = Detector.from_pretrained(checkpoint, threads=1)
    torch.set_num_threads(2)
    before = torch.get_num_threads(), cv2.getNumThreads()
    scores = []
    threads = [
        threading.Thread(target=lambda: scores.append(detector.predict(talking_clip)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(scores)) == 1
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before
    in_a_new_thread = []
    thread = threading.Thread(target=lambda: in_a_new_thread.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert in_a_new_thread == [2]
    torch.set_num_threads(1)


def test_an_explanation_holds_the_numbers_of_the_report(fresh, talking_clip):
    report = fresh.detect(talking_clip)
    (explanation,) = fresh.explain(talking_clip)
    present = ~np.isnan(explanation.scores)
    probs = apply(fresh.config.calibration, explanation.scores[present])
    curve = np.array([np.nan if s is None else s for s in report.curves.score])
    np.testing.assert_allclose(curve[present], probs, atol=1e-5)
    assert np.isnan(curve[~present]).all()
    stride_s = report.curves.stride_s
    np.testing.assert_allclose(explanation.starts_s, stride_s * np.arange(len(curve)))
    assert set(explanation.attention) == {
        *("face_from_lips", "lips_from_face", "audio_from_face", "face_from_audio"),
        *("lips_from_audio", "audio_from_lips"),
    }


def test_an_explanation_of_no_clip_is_an_error(fresh, tmp_path):
    with pytest.raises(MediaNotFoundError):
        list(fresh.explain(tmp_path / "gone.mp4"))


def test_an_explanation_is_cancelled_too(fresh, talking_clip):
    with pytest.raises(RunCancelledError):
        list(fresh.explain(talking_clip, cancel=lambda: True))
