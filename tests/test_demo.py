"""The steps of the demo, without training anything."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mmmsba_plugin import demo
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import samples


@pytest.fixture
def story(monkeypatch):
    """The steps that a demo would take, each with a stand-in; the records are up to the test."""
    records = []
    detector = SimpleNamespace(detect=lambda path: samples.report("ok", str(path)))
    loader = SimpleNamespace(from_pretrained=lambda *_, **__: detector)
    monkeypatch.setattr(demo, "MmmsbaDetector", loader)
    monkeypatch.setattr(demo, "make_talking_head_dataset", lambda *_, **__: [])
    monkeypatch.setattr(demo, "forge_dataset", lambda *_, **__: None)
    monkeypatch.setattr(demo, "read_lavdf", lambda *_, **__: iter(records))
    monkeypatch.setattr(demo, "run", lambda detector, records: iter(()))
    monkeypatch.setattr(
        "mmmsba_plugin.training.fit.fit", lambda *_, **__: SimpleNamespace(checkpoint=Path("c"))
    )
    return records


def test_a_demo_shows_a_fake_clip_beside_the_real_one(story, tmp_path):
    truth = (Segment(1, 1.5),)
    fake = Record(Path("fake.mp4"), truth=truth, visual_truth=truth, audio_truth=())
    story += [Record(Path("real.mp4"), truth=()), fake]
    steps = []
    result = demo.show(tmp_path, on_step=steps.append)
    assert steps == ["making a talking clip", "forging a segment of it", "looking for it"]
    assert result.record == fake
    assert (result.report.media.path, result.untouched.media.path) == ("fake.mp4", "real.mp4")
    *_, ground_truth, drawn_face = result.report.warnings
    assert ground_truth.endswith("what is fake in it: 0:01.00 to 0:01.50 (video)")
    assert drawn_face == demo.DRAWN_FACE_NOTE


def test_a_demo_without_a_fake_held_out_clip_cannot_go_on(story, tmp_path):
    with pytest.raises(ForgeError, match=f"remove {tmp_path} and try another --seed"):
        demo.learn_and_show(tmp_path)


def test_a_clip_that_is_real_in_both_streams_has_no_segments():
    assert demo.truth_of(Record(Path("a.mp4"), audio_truth=(), visual_truth=None)) == ""
