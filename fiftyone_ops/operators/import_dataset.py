"""``import_forgery_dataset``: a dataset that any reader knows, as a dataset of FiftyOne."""

from typing import Any

import fiftyone.operators as foo

from mmmsba_plugin.plugins import entries

from ..settings import ImportSettings
from ..tasks.base import Task
from ..tasks.import_dataset import ImportTask
from . import forms
from .base import TaskOperator


class ImportForgeryDataset(TaskOperator):
    """Import a dataset, record by record."""

    name = "import_forgery_dataset"
    label = "Import forgery dataset"
    description = "Make a dataset of LAV-DF, AV-Deepfake1M, FakeAVCeleb, or your own clips"
    settings = ImportSettings

    def why_not(self, ctx: Any) -> str:
        """Explain nothing: no samples are worked on."""
        del ctx
        return ""

    def ask(self, ctx: Any, inputs: Any) -> None:
        """Add the questions of the form; which samples is none of them."""
        del ctx
        readers = [offer.name for offer in entries("dataset_readers") if offer.entry]
        forms.ask(inputs, ImportSettings, choices={"reader": readers})

    def make_task(self, ctx: Any) -> Task[Any, Any]:
        """Make the task of what was filled in."""
        return ImportTask(forms.read(ctx.params, ImportSettings))

    def finish(self, ctx: Any, task: Task[Any, Any]) -> Any:
        """Open the dataset."""
        return ctx.ops.open_dataset(task.summary.dataset.name)

    def __call__(  # type: ignore[override]  # a folder, and no samples
        self, data: str, *, delegate: bool = False, **settings: Any
    ) -> Any:
        """Run it from Python.

        Args:
            data: The dataset: ``DIR``, ``READER=DIR`` or ``READER[KEY=VALUE]=DIR``.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.
        """
        params = {"data": data, **settings}
        return foo.execute_operator(self.uri, params=params, request_delegation=delegate)
