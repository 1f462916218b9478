"""Tests of the base of the tasks: all steps are taken, and the summary is returned."""

import json

import pytest

from fiftyone_ops.settings import DetectSettings, ExportSettings, ImportSettings, MetadataSettings
from fiftyone_ops.tasks.base import Counted, Task
from fiftyone_ops.tasks.detect import DetectTask
from fiftyone_ops.tasks.export import ExportTask
from fiftyone_ops.tasks.import_dataset import ImportTask
from fiftyone_ops.tasks.metadata import MetadataTask, ProxyTask


@pytest.fixture
def make_task(evaluated, toy, talking_head_dataset, tmp_path):
    """A function that makes a task of a class."""

    def make(task_class: type[Task]) -> Task:
        if task_class is ImportTask:
            data = f"lav-df={talking_head_dataset}"
            return ImportTask(ImportSettings(data=data, name="imported-by-task", split="test"))
        settings = {
            DetectTask: DetectSettings(detector=toy, existing="overwrite"),
            MetadataTask: MetadataSettings(overwrite=True),
            ProxyTask: MetadataSettings(proxies_folder=tmp_path),
            ExportTask: ExportSettings(folder=tmp_path / "out"),
        }
        return task_class(evaluated, settings[task_class])

    return make


@pytest.mark.parametrize(
    "task_class", [DetectTask, MetadataTask, ProxyTask, ImportTask, ExportTask]
)
def test_every_task_takes_its_steps_and_has_a_summary(make_task, task_class):
    task = make_task(task_class)
    shares = []
    summary = task.run(lambda step: shares.append(step.share) or str(step))
    if task_class is ImportTask:
        summary.dataset.delete()
    assert summary is task.summary
    assert str(summary)
    assert json.loads(json.dumps(summary.to_dict()))
    measured_shares = [share for share in shares if share is not None]
    assert measured_shares == sorted(measured_shares)
    assert all(0 < share <= 1 for share in measured_shares)


def test_progress_is_a_share_and_a_sentence():
    assert Counted(1, 4).share == 0.25
    assert str(Counted(1, 4)) == "1 of 4 videos"
