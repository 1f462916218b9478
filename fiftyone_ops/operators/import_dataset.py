"""``import_forgery_dataset``: a dataset that any reader knows, as a dataset."""

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from .. import forms, versions
from ..settings import ImportSettings
from ..tasks.import_dataset import Import
from .base import STEP_BY_STEP, carry_out


class ImportForgeryDataset(foo.Operator):
    """Makes a dataset of a dataset, record by record."""

    @property
    def config(self) -> Any:
        """Configuration that the App shows."""
        return foo.OperatorConfig(
            name="import_forgery_dataset",
            label="Import forgery dataset",
            description="Make a dataset of LAV-DF, AV-Deepfake1M, FakeAVCeleb, or your own clips",
            dynamic=True,
            disable_schema_validation=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            **STEP_BY_STEP,
        )

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        forms.ask(inputs, ImportSettings, choices={"reader": _readers()})
        return types.Property(inputs, view=types.View(label="Import forgery dataset"))

    def execute(self, ctx: Any) -> dict[str, Any] | Iterator[Any]:
        """Import: step by step for the App, and for anybody else in one go, with a result."""
        versions.require_fit()
        run = Import(forms.read(ctx.params, ImportSettings))
        name = run.summary.dataset.name
        return carry_out(ctx, run, last=lambda: ctx.ops.open_dataset(name))

    def __call__(self, data: str, *, delegate: bool = False, **settings: Any) -> Any:
        """Run it from Python.

        Args:
            data: The dataset: ``DIR``, ``READER=DIR`` or ``READER[KEY=VALUE]=DIR``.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.
        """
        params = {"data": data, **settings}
        return foo.execute_operator(self.uri, params=params, request_delegation=delegate)


def _readers() -> list[str]:
    from mmmsba_plugin.plugins import entries

    return [offer.name for offer in entries("dataset_readers") if offer.entry]
