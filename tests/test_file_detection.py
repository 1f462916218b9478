"""Detection in one file, without a trace of it on the disk but where it pays."""

from mmmsba_plugin import Detector, file_detection


def test_a_long_clip_fills_no_disk_to_say_where_the_network_looked(
    checkpoint, talking_clip, monkeypatch, tmp_path
):
    monkeypatch.setattr(file_detection, "_LONGEST_EXPLAINED_S", 1.0)
    monkeypatch.setattr(file_detection, "TemporaryDirectory", None)
    lowered = Detector.from_pretrained(checkpoint).with_threshold(0.0)
    report = lowered.detect(talking_clip, attention=True)
    assert report.segments
    assert report.attention == ()
    missing = lowered.detect(tmp_path / "gone.mp4", attention=True)
    assert missing.problem.kind == "MediaNotFoundError"
