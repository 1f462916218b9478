"""Detections and decisions leave the dataset whole."""

import pytest
from fiftyone import ViewField as F

from fiftyone_ops.errors import TargetError
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.export import export
from fiftyone_ops.tasks.import_dataset import import_dataset
from fiftyone_ops.tasks.review.decide import decide
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import ConfigError, OutputError, PluginNotFoundError
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Report


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory of its own."""
    monkeypatch.chdir(tmp_path)


def test_reports_come_out_as_they_went_in(talking_dataset, detector, checkpoint, tmp_path):
    view = talking_dataset.limit(1)
    annotate(view, checkpoint=str(checkpoint))
    export(view, folder=tmp_path, formats="json,vtt")
    (path,) = tmp_path.glob("*.json")
    out = Report.model_validate_json(path.read_text(encoding="utf-8"))
    went_in = detector.detect(view.first().filepath)
    for name in ("status", "score", "threshold", "segments", "modalities", "proposals", "warnings"):
        assert getattr(out, name) == getattr(went_in, name), name
    assert out.provenance.checkpoint_sha256 == went_in.provenance.checkpoint_sha256
    assert out.media.duration_s == went_in.media.duration_s
    assert len(list(tmp_path.glob("*.vtt"))) == 1


def test_videos_that_were_not_evaluated_have_reports_with_the_reason(evaluated, tmp_path):
    assert export(evaluated, folder=tmp_path, formats="json").num_written == 7
    report = Report.model_validate_json((tmp_path / "raises.json").read_text(encoding="utf-8"))
    assert (report.status, report.problem.message) == ("error", "RuntimeError: out of memory")


def test_each_segment_is_cut_out_with_what_is_around_it(evaluated, tmp_path):
    exported = export(evaluated, folder=tmp_path, what="clips", padding_s=0.25)
    clips = sorted(tmp_path.glob("forged-*-1-audio.mp4"))
    assert (exported.num_written, len(clips)) == (2, 2)
    # From 0.25 s to 1.263 s: 26 frames at 25 Hz.
    assert probe(clips[0]).duration_s == pytest.approx(1.04, abs=0.05)


def test_a_reviewed_data_set_becomes_a_dataset_that_reads_back(evaluated, tmp_path):
    fake, other, *_ = evaluated.exists("forgeries_verdict.confidence")
    decide(evaluated, fake.id, action="accept")
    decide(evaluated, fake.id, action="add", start_s=1.5, end_s=1.75, modality="visual")
    decide(evaluated, other.id, action="reject")
    assert export(evaluated, folder=tmp_path, what="lav-df").num_written == 2
    first, second = read_lavdf(tmp_path)
    assert [(segment.start_s, segment.end_s) for segment in first.audio_truth] == [(0.5, 1.013)]
    assert [(segment.start_s, segment.end_s) for segment in first.visual_truth] == [(1.5, 1.75)]
    assert first.media.is_file()
    assert not second.fake


def test_a_dataset_goes_in_and_comes_out_the_same(talking_head_dataset, tmp_path):
    imported = import_dataset(f"lav-df={talking_head_dataset}", name="round").dataset
    settings = {"what": "lav-df", "truth_field": "ground_truth", "copy_media": False}
    export(imported, folder=tmp_path, **settings)
    imported.delete()
    before, after = (
        sorted(
            (record.truth, record.audio_truth, record.visual_truth, record.split, record.identity)
            for record in r
        )
        for r in (read_lavdf(talking_head_dataset), read_lavdf(tmp_path))
    )
    assert before == after


def test_a_video_that_is_gone_is_named_and_stops_nothing(evaluated, tmp_path):
    sample = evaluated.match(F("forgeries_verdict.label") == "fake").first()
    sample.filepath = str(tmp_path / "gone.mp4")
    sample.save()
    exported = export(evaluated, folder=tmp_path / "out", what="clips")
    assert exported.num_written == 1
    assert "there is no file at" in exported.failed[sample.filepath]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, ConfigError, "say where to"),
        ({"folder": "a", "formats": "doc"}, PluginNotFoundError, "no writer is called 'doc'"),
        ({"folder": "a", "label_field": "none"}, TargetError, "has no field 'none_verdict'"),
        ({"folder": "/dev/null/a"}, OutputError, "cannot write to"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_an_export_that_cannot_work_is_refused(evaluated, settings, error, message):
    with pytest.raises(error, match=message):
        export(evaluated, **settings)


def test_videos_with_nothing_to_export_are_not_an_empty_export(evaluated, tmp_path):
    evaluated.clear_sample_field("forgeries_verdict")
    with pytest.raises(TargetError, match="has nothing in 'forgeries_verdict'"):
        export(evaluated, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
