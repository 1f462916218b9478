"""What was found or decided leaves the dataset whole."""

import fiftyone.operators as foo
import pytest
from fiftyone import ViewField as F
from fiftyone.operators.executor import ExecutionError

from fiftyone_ops import labels
from fiftyone_ops.errors import TargetError
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.export import export
from fiftyone_ops.tasks.import_dataset import import_dataset
from fiftyone_ops.tasks.review import decide
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import ConfigError, OutputError, PluginNotFoundError
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Report

from ..asking import asked_by_the_app


@pytest.fixture
def judged(named_dataset, toy):
    """What the toy detector says of the small videos."""
    annotate(named_dataset, detector=toy)
    return named_dataset


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
    for part in ("status", "score", "threshold", "segments", "modalities", "proposals", "warnings"):
        assert getattr(out, part) == getattr(went_in, part), part
    assert out.provenance.checkpoint_sha256 == went_in.provenance.checkpoint_sha256
    assert out.media.duration_s == went_in.media.duration_s
    assert len(list(tmp_path.glob("*.vtt"))) == 1


def test_curves_come_out_as_they_went_in(judged):
    sample = judged.match(F("forgeries_verdict.label") == "forged").first()
    values = {
        "filepath": sample.filepath,
        "metadata": sample.metadata,
        "segments": sample.forgeries,
        "verdict": sample.forgeries_verdict,
        "opt_outs": sample.forgeries_opt_outs,
        "curves": sample.forgeries_curves,
        "proposals": sample.forgeries_proposals,
    }
    report = labels.report_of(values, {"name": "toy"})
    assert report.curves.score == (0.25, 0.75, 0.25, None)
    assert report.curves.by_modality["lips"] == (0.25, 0.25, 0.25, None)


def test_videos_that_were_not_judged_have_reports_that_say_why(judged, tmp_path):
    assert export(judged, folder=tmp_path, formats="json").num_written == 7
    report = Report.model_validate_json((tmp_path / "raises.json").read_text(encoding="utf-8"))
    assert (report.status, report.problem.message) == ("error", "RuntimeError: out of memory")


def test_each_segment_is_cut_out_with_what_is_around_it(judged, tmp_path):
    exported = export(judged, folder=tmp_path, what="clips", padding_s=0.25)
    clips = sorted(tmp_path.glob("forged-*-1-audio.mp4"))
    assert (exported.num_written, len(clips)) == (2, 2)
    # From 0.25 s to 1.263 s: 26 frames at 25 Hz.
    assert probe(clips[0]).duration_s == pytest.approx(1.04, abs=0.05)


def test_a_reviewed_data_set_becomes_a_dataset_that_reads_back(judged, tmp_path):
    fake, other, *_ = judged.exists("forgeries_verdict.confidence")
    decide(judged, fake.id, action="accept")
    decide(judged, fake.id, action="add", start_s=1.5, end_s=1.75, modality="visual")
    decide(judged, other.id, action="reject")
    assert export(judged, folder=tmp_path, what="lav-df").num_written == 2
    first, second = read_lavdf(tmp_path)
    assert [(part.start_s, part.end_s) for part in first.audio_truth] == [(0.5, 1.013)]
    assert [(part.start_s, part.end_s) for part in first.visual_truth] == [(1.5, 1.75)]
    assert first.media.is_file()
    assert not second.fake


def test_a_dataset_goes_in_and_comes_out_the_same(talking_head_dataset, tmp_path):
    imported = import_dataset(f"lav-df={talking_head_dataset}", name="round").dataset
    said = {"what": "lav-df", "truth_field": "ground_truth", "copy_media": False}
    export(imported, folder=tmp_path, **said)
    imported.delete()
    before, after = (
        sorted((one.truth, one.audio_truth, one.visual_truth, one.split, one.identity) for one in r)
        for r in (read_lavdf(talking_head_dataset), read_lavdf(tmp_path))
    )
    assert before == after


def test_a_video_that_is_gone_is_named_and_stops_nothing(judged, tmp_path):
    sample = judged.match(F("forgeries_verdict.label") == "forged").first()
    sample.filepath = str(tmp_path / "gone.mp4")
    sample.save()
    exported = export(judged, folder=tmp_path / "out", what="clips")
    assert exported.num_written == 1
    assert "there is no file at" in exported.failed[sample.filepath]


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({}, ConfigError, "say where to"),
        ({"folder": "a", "formats": "doc"}, PluginNotFoundError, "no writer is called 'doc'"),
        ({"folder": "a", "label_field": "none"}, TargetError, "has no field 'none_verdict'"),
        ({"folder": "/dev/null/a"}, OutputError, "cannot write to"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_what_cannot_be_exported_is_said(judged, settings, error, said):
    with pytest.raises(error, match=said):
        export(judged, **settings)


def test_the_operator_says_what_it_wrote(judged, tmp_path):
    operator = foo.get_operator("@mmmsba/fiftyone_ops/export_forgeries")
    result = operator(judged, folder=str(tmp_path), formats="csv").result
    assert result == {"folder": str(tmp_path), "written": 7, "failed": {}}


def test_in_the_app_it_shows_how_far_it_is_and_ends_with_what_it_did(judged, tmp_path):
    uri = "@mmmsba/fiftyone_ops/export_forgeries"
    shown = list(asked_by_the_app(uri, judged, folder=str(tmp_path), formats="csv"))
    assert [one.body.operator_uri for one in shown] == ["set_progress"] * 7 + ["notify"]
    assert shown[3].body.params == {"label": "4 of 7 videos", "progress": pytest.approx(4 / 7)}
    assert shown[7].body.params["message"] == f"7 files written to {tmp_path}"


def test_what_cannot_work_is_said_before_anything_is_shown_or_made(judged, tmp_path):
    uri, folder = "@mmmsba/fiftyone_ops/export_forgeries", tmp_path / "out"
    with pytest.raises(ExecutionError, match="no writer is called 'doc'"):
        asked_by_the_app(uri, judged, folder=str(folder), formats="doc")
    assert not folder.exists()


def test_a_disk_that_fails_on_the_way_is_said_in_the_app(judged, tmp_path):
    (tmp_path / "forged-2.csv").mkdir()
    uri = "@mmmsba/fiftyone_ops/export_forgeries"
    *_, last = asked_by_the_app(uri, judged, folder=str(tmp_path), formats="csv")
    assert last.body.params["variant"] == "error"
    assert "cannot write to" in last.body.params["message"]


def test_videos_with_nothing_to_export_are_not_an_empty_export(judged, tmp_path):
    judged.clear_sample_field("forgeries_verdict")
    with pytest.raises(TargetError, match="has nothing in 'forgeries_verdict' to export; run dete"):
        export(judged, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
