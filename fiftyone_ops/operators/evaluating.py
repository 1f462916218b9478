"""``evaluate_forgeries``: how right the predictions of a data set are."""

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from .. import forms, versions
from ..evaluate import evaluate
from ..settings import EvaluateSettings


class EvaluateForgeries(foo.Operator):
    """Measures predictions, and marks what is right and wrong."""

    @property
    def config(self) -> Any:
        """What the App shows of it."""
        return foo.OperatorConfig(
            name="evaluate_forgeries",
            label="Evaluate forgeries",
            description="Average precision and recall, AUC and EER, and views of the errors",
            dynamic=True,
            disable_schema_validation=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
        )

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        forms.ask_target(ctx, inputs)
        forms.ask(inputs, EvaluateSettings)
        return types.Property(inputs, view=types.View(label="Evaluate forgeries"))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Measure."""
        versions.require_fit()
        settings = forms.read(ctx.params, EvaluateSettings)
        told = evaluate(forms.target_of(ctx), **settings.model_dump())
        ctx.ops.reload_dataset()
        rows = [
            {"figure": name, "value": f"{value:.4f}"}
            for name, value in told.table.items()
            # One that is not defined, such as an AUC of forged clips alone, is not shown.
            if value == value  # noqa: PLR0124 - NaN alone differs from itself
        ]
        return {**told.plain(), "rows": rows}

    def resolve_output(self, ctx: Any) -> Any:
        """Return how figures are shown; nothing where there are none, as after an error."""
        outputs = types.Object()
        if not (ctx.results or {}).get("rows"):
            return types.Property(outputs)
        table = types.TableView()
        table.add_column("figure", label="Figure")
        table.add_column("value", label="Value")
        outputs.list("rows", types.Object(), view=table)
        return types.Property(outputs, view=types.View(label="Figures"))

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
