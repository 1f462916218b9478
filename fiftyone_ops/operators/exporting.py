"""``export_forgeries``: reports, clips of segments, or a corpus to train on."""

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from .. import forms, versions
from ..export import export
from ..settings import ExportSettings


class ExportForgeries(foo.Operator):
    """Writes what was found or decided to a folder."""

    @property
    def config(self) -> Any:
        """What the App shows of it."""
        return foo.OperatorConfig(
            name="export_forgeries",
            label="Export forgeries",
            description="Reports, clips of the segments, or a corpus in LAV-DF's layout",
            dynamic=True,
            disable_schema_validation=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
        )

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        forms.ask_target(ctx, inputs)
        forms.ask(inputs, ExportSettings)
        return types.Property(inputs, view=types.View(label="Export forgeries"))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Write."""
        versions.require_fit()
        settings = forms.read(ctx.params, ExportSettings)
        samples = forms.target_of(ctx)
        total = max(1, samples.count())

        def tell(done: int) -> None:
            ctx.set_progress(progress=done / total, label=f"{done} of {total} videos")

        told = export(samples, on_progress=tell, **settings.model_dump())
        return {"folder": str(told.folder), "written": told.written, "failed": told.failed}

    def __call__(self, samples: Any, *, delegate: bool = False, **settings: Any) -> Any:
        """Run it from Python.

        Args:
            samples: A data set or a view.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.
        """
        return foo.execute_operator(
            self.uri,
            {"view": samples.view()},
            params={"target": "view", **settings},
            request_delegation=delegate,
        )
