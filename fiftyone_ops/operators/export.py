"""``export_forgeries``: reports, clips of segments, or a dataset to train on."""

from typing import Any

from ..settings import ExportSettings
from ..tasks.base import Task
from ..tasks.export import ExportTask
from .base import TaskOperator


class ExportForgeries(TaskOperator):
    """Write what was predicted or reviewed to a folder."""

    name = "export_forgeries"
    label = "Export forgeries"
    description = "Reports, clips of the segments, or a dataset in LAV-DF's layout"
    settings = ExportSettings
    task = ExportTask

    def finish(self, ctx: Any, task: Task[Any, Any]) -> Any:
        """Nothing in the dataset is new."""
