"""A report does not depend on what the network runs on, and neither does the process."""

import cv2
import numpy as np
import pytest
import torch

from mmmsba_plugin import streaming
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.export import export_checkpoint


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    export_checkpoint(checkpoint, folder)
    return folder


@pytest.fixture
def three_threads():
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(3)
    cv2.setNumThreads(3)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


def test_the_report_on_a_real_clip_is_the_same(exported, detector, feature_cache, talking_clip):
    by_onnx = MmmsbaDetector.from_pretrained(exported, cache=feature_cache, runtime="onnx")
    expected, report = detector.detect(talking_clip), by_onnx.detect(talking_clip)
    assert report.status == "ok"
    assert report.score == pytest.approx(expected.score, abs=1e-5)
    np.testing.assert_allclose(_scores(report), _scores(expected), atol=1e-5)
    for modality, alone in report.modalities.items():
        assert alone.score == pytest.approx(expected.modalities[modality].score, abs=1e-5)
    assert report.provenance.checkpoint_sha256 == expected.provenance.checkpoint_sha256


def _scores(report):
    return np.array(report.curves.score, dtype=float)


def test_a_file_alone_is_a_checkpoint(checkpoint, tmp_path, feature_cache, talking_clip):
    export_checkpoint(checkpoint, tmp_path / "alone.onnx")
    alone = MmmsbaDetector.from_pretrained(tmp_path / "alone.onnx", cache=feature_cache)
    assert alone.detect(talking_clip).status == "ok"
    assert alone.info["checkpoint"] == "alone.onnx"


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("options", [{}, {"threads": 2}, {"threads": 1, "runtime": "onnx"}])
def test_the_processs_own_threads_are_left_as_they_were(exported, checkpoint, options, clips):
    folder = exported if "runtime" in options else checkpoint
    detector = MmmsbaDetector.from_pretrained(folder, **options)
    for clip in clips:
        detector.detect(clip)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)


@pytest.mark.usefixtures("three_threads")
def test_a_stream_keeps_to_its_threads_only_while_it_computes(
    checkpoint, talking_clip, monkeypatch
):
    inside = []
    original = streaming.stream_updates

    def updates(*arguments, **keywords):
        for update in original(*arguments, **keywords):
            inside.append(torch.get_num_threads())
            yield update

    monkeypatch.setattr(streaming, "stream_updates", updates)
    for _ in MmmsbaDetector.from_pretrained(checkpoint, threads=2).stream(talking_clip):
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)
    assert set(inside) == {2}


@pytest.fixture
def clips(talking_clip, tmp_path):
    """One that can be evaluated, and one that cannot."""
    (tmp_path / "rubbish.mp4").write_bytes(b"rubbish")
    return [talking_clip, tmp_path / "rubbish.mp4"]


def test_other_thresholds_run_on_the_same(exported, feature_cache, talking_clip):
    by_onnx = MmmsbaDetector.from_pretrained(exported, cache=feature_cache, threads=2)
    assert by_onnx.with_threshold(0.9).detect(talking_clip).status == "ok"


@pytest.mark.parametrize(
    "options", [{"runtime": "tensorrt"}, {"threads": 0}, {"device": "nowhere"}]
)
def test_what_nothing_can_run_on_is_refused_at_once(checkpoint, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        MmmsbaDetector.from_pretrained(checkpoint, **options)
