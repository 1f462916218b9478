"""Training learns from people's decisions in the App."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fiftyone_ops.dataset.records import learnable
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.import_dataset import import_dataset
from fiftyone_ops.tasks.review.decide import decide
from mmmsba_plugin.cli import app
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.load import DatasetSpec, open_dataset
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.segment import Segment


def test_a_reviewed_sample_is_a_record_and_an_open_one_is_none(evaluated):
    fake, other, real, _ = evaluated.exists("forgeries_verdict.confidence")
    (predicted,) = fake.forgeries.detections
    decide(evaluated, fake.id, action="adjust", label_id=predicted.id, end_s=1.213)
    decide(evaluated, other.id, action="add", start_s=1.5, end_s=1.75)
    decide(evaluated, real.id, action="finish")
    name, records = learnable(evaluated.name)
    first, second = records
    assert name == evaluated.name
    assert (str(first.media), first.truth) == (fake.filepath, (Segment(0.5, 1.213),))
    assert (first.audio_truth, first.visual_truth) == (first.truth, ())
    assert (str(second.media), second.truth, second.fake) == (real.filepath, (), False)


def test_what_ended_without_a_ground_truth_is_left_out(evaluated):
    first, second, third, _ = evaluated.exists("forgeries_verdict.confidence")
    decide(evaluated, first.id, action="cannot_tell")
    decide(evaluated, second.id, action="unreadable")
    decide(evaluated, third.id, action="finish")
    assert [str(record.media) for record in learnable(evaluated.name)[1]] == [third.filepath]


def test_a_field_of_truth_can_be_named(talking_head_dataset):
    imported = import_dataset(f"lav-df={talking_head_dataset}", name="teaches").dataset
    _, records = learnable("teaches:ground_truth")
    truth_of_media = {
        str(record.media): (record.truth, record.split, record.identity) for record in records
    }
    imported.delete()
    assert truth_of_media == {
        str(record.media.absolute()): (record.truth, record.split, record.identity)
        for record in read_lavdf(talking_head_dataset)
    }


def test_a_reviewed_dataset_is_read_like_any_other(evaluated):
    decide(evaluated, evaluated.first().id, action="finish")
    dataset = open_dataset(DatasetSpec(Path(evaluated.name), "fiftyone"))
    assert [record.media for record in dataset.records()] == [Path(evaluated.first().filepath)]
    with pytest.raises(DatasetError, match="FiftyOne has no dataset 'none'"):
        open_dataset("fiftyone=none").records()


def test_a_dataset_to_learn_from_must_have_finished_reviews(evaluated):
    with pytest.raises(DatasetError, match="has no dataset 'none'; there are: "):
        learnable("none")
    with pytest.raises(DatasetError, match="no field 'forgeries_reviewed' to learn"):
        learnable(evaluated.name)
    decide(evaluated, evaluated.first().id, action="add", start_s=1.0, end_s=1.5)
    with pytest.raises(DatasetError, match="has a finished review"):
        learnable(evaluated.name)


@pytest.mark.timeout(600)
def test_the_command_learns_from_what_was_reviewed(talking_head_dataset, checkpoint, tmp_path):
    imported = import_dataset(f"lav-df={talking_head_dataset}", name="reviewed-dataset").dataset
    annotate(imported, checkpoint=str(checkpoint))
    for sample in imported:
        decide(imported, sample.id, action="finish")
        for segment in sample.ground_truth.detections:
            decision = {
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "modality": segment.label,
            }
            decide(imported, sample.id, action="add", **decision)
    command = ["finetune", "--fiftyone", "reviewed-dataset", "--checkpoint", str(checkpoint)]
    command += ["--max-epochs", "1", "-o", str(tmp_path / "tuned")]
    result = CliRunner().invoke(app, command)
    imported.delete()
    assert result.exit_code == 0, result.output
    assert "learned from" in result.stdout
    card = (tmp_path / "tuned" / "README.md").read_text(encoding="utf-8")
    assert "reviewed-dataset" in card


def test_something_to_learn_from_must_be_named(tmp_path):
    result = CliRunner().invoke(app, ["train", "-o", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "--fiftyone DATASET" in result.output
